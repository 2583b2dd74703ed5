metadata description = 'The saved functions that rules and workbooks ask, in the workspace that they ask.'

@description('Required. Name of the workspace.')
param workspaceName string

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

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName
}

resource saved 'Microsoft.OperationalInsights/workspaces/savedSearches@2025-07-01' = [
  for function in functions: {
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
  }
]
