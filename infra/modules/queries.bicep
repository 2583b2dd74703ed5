metadata description = 'The saved functions that rules and workbooks ask, and the saved queries of the Queries panel.'

@description('Required. Workspace of the functions.')
param workspaceName string

@description('Required. Name of the query pack.')
param queryPackName string

@description('Required. The region.')
param location string

@description('Required. Tags.')
param tags object

var functions = [
  {
    name: 'UsageEvents'
    query: loadTextContent('../kql/UsageEvents.kql')
  }
  {
    name: 'AlertHistory'
    query: loadTextContent('../kql/AlertHistory.kql')
  }
]

// The first line of a query is its title, the second says what it tells.
var savedQueries = [
  loadTextContent('../kql/saved/agent_error_patterns.kql')
  loadTextContent('../kql/saved/cost_by_team.kql')
  loadTextContent('../kql/saved/failed_missions.kql')
  loadTextContent('../kql/saved/mission_times.kql')
  loadTextContent('../kql/saved/slow_model_calls.kql')
]

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName
}

resource saved 'Microsoft.OperationalInsights/workspaces/savedSearches@2025-07-01' = [for function in functions: {
  parent: workspace
  name: function.name
  properties: {
    #disable-next-line BCP037 // the types lack it; without it a second deployment is answered 409
    etag: '*'
    category: 'agentmeter'
    displayName: function.name
    functionAlias: function.name
    query: function.query
    version: 2
  }
}]

resource pack 'Microsoft.OperationalInsights/queryPacks@2025-07-01' = {
  name: queryPackName
  location: location
  tags: tags
  properties: {}
}

resource queries 'Microsoft.OperationalInsights/queryPacks/queries@2025-07-01' = [for query in savedQueries: {
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
}]
