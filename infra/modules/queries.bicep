metadata description = 'The saved queries of the Queries panel.'

@description('Required. Name of the query pack.')
param queryPackName string

@description('Required. The region.')
param location string

@description('Required. Tags.')
param tags object

// The first line of a query is its title, the second says what it tells.
var savedQueries = [
  loadTextContent('../kql/saved/agent_error_patterns.kql')
  loadTextContent('../kql/saved/cost_by_team.kql')
  loadTextContent('../kql/saved/failed_missions.kql')
  loadTextContent('../kql/saved/mission_times.kql')
  loadTextContent('../kql/saved/slow_model_calls.kql')
]

resource pack 'Microsoft.OperationalInsights/queryPacks@2025-07-01' = {
  name: queryPackName
  location: location
  tags: tags
  properties: {}
}

resource queries 'Microsoft.OperationalInsights/queryPacks/queries@2025-07-01' = [
  for query in savedQueries: {
    parent: pack
    name: guid(pack.id, split(query, '\n')[0])
    properties: {
      displayName: 'agentmeter: ${skip(split(query, '\n')[0], 3)}'
      description: skip(split(query, '\n')[1], 3)
      body: query
      related: {
        categories: [
          'applications'
        ]
        resourceTypes: [
          'microsoft.insights/components'
          'microsoft.operationalinsights/workspaces'
        ]
      }
    }
  }
]
