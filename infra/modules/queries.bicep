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
]

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName
}

resource saved 'Microsoft.OperationalInsights/workspaces/savedSearches@2025-07-01' = [for function in functions: {
  parent: workspace
  name: function.name
  properties: {
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
