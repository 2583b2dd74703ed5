metadata description = 'The workbooks, in the gallery of the workspace that they ask.'

@description('Required. What the names of all resources have in common.')
param stem string

@description('Required. Resource id of the workspace that is asked.')
param workspaceId string

@description('Required. The region.')
param location string

@description('Required. Tags.')
param tags object

var workbooks = [
  {
    name: 'System health'
    content: loadTextContent('../workbooks/system-health.workbook.json')
  }
  {
    name: 'Agent performance'
    content: loadTextContent('../workbooks/agent-performance.workbook.json')
  }
  {
    name: 'Alerts'
    content: loadTextContent('../workbooks/alerts.workbook.json')
  }
  {
    name: 'Cost tracking'
    content: loadTextContent('../workbooks/cost-tracking.workbook.json')
  }
  {
    name: 'Coding agents'
    content: loadTextContent('../workbooks/coding-agents.workbook.json')
  }
]

resource saved 'Microsoft.Insights/workbooks@2023-06-01' = [
  for workbook in workbooks: {
    name: guid(resourceGroup().id, stem, workbook.name)
    location: location
    tags: tags
    kind: 'shared'
    properties: {
      displayName: '${stem}: ${workbook.name}'
      category: 'workbook'
      version: 'Notebook/1.0'
      sourceId: workspaceId
      // Where no workspace is chosen, the queries ask this one.
      serializedData: replace(workbook.content, '"Azure Monitor"', '"${workspaceId}"')
    }
  }
]
