metadata description = 'The dashboards as Azure Monitor dashboards with Grafana: no server, no fee, asked as whoever looks.'

@description('Required. Ends the names of the dashboards.')
param suffix string

@description('Required. The region.')
param location string

@description('Required. Tags.')
param tags object

var dashboards = [
  {
    name: 'system-health'
    content: loadTextContent('../grafana/system-health.azure.json')
  }
  {
    name: 'agent-performance'
    content: loadTextContent('../grafana/agent-performance.azure.json')
  }
  {
    name: 'alerts'
    content: loadTextContent('../grafana/alerts.azure.json')
  }
  {
    name: 'cost-tracking'
    content: loadTextContent('../grafana/cost-tracking.azure.json')
  }
  {
    name: 'coding-agents'
    content: loadTextContent('../grafana/coding-agents.azure.json')
  }
]

resource saved 'Microsoft.Dashboard/dashboards@2025-08-01' = [
  for dashboard in dashboards: {
    name: '${dashboard.name}-${take(suffix, 10)}'
    location: location
    tags: union(tags, {
      // Where the portal lists it.
      GrafanaDashboardResourceType: 'microsoft.insights/components'
    })
    properties: {}
  }
]

resource contents 'Microsoft.Dashboard/dashboards/dashboardDefinitions@2025-09-01-preview' = [
  for (dashboard, i) in dashboards: {
    parent: saved[i]
    name: 'default'
    properties: {
      serializedData: dashboard.content
    }
  }
]
