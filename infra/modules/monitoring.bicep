metadata description = 'The workspace that keeps everything, and the component through which it comes in.'

@description('Required. Name of the Log Analytics workspace.')
param workspaceName string

@description('Required. Name of the Application Insights component.')
param componentName string

@description('Required. The region.')
param location string

@description('Required. Tags.')
param tags object

@description('Required. Days that rows are kept.')
param retentionDays int

@description('Required. GB a day; -1 for no cap.')
param dailyCapGb int

@description('Required. Keeps a row for every query.')
param queryAudit bool

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: retentionDays
    workspaceCapping: {
      dailyQuotaGb: dailyCapGb
    }
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
    publicNetworkAccessForIngestion: 'Enabled'
    publicNetworkAccessForQuery: 'Enabled'
  }
}

resource component 'Microsoft.Insights/components@2020-02-02' = {
  name: componentName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    IngestionMode: 'LogAnalytics'
    DisableLocalAuth: true
    publicNetworkAccessForIngestion: 'Enabled'
    publicNetworkAccessForQuery: 'Enabled'
  }
}

// The version that it asks for, 2016-09-01, knows no category groups and one setting a resource.
#disable-next-line use-recent-api-versions
resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (queryAudit) {
  name: 'audit'
  scope: workspace
  properties: {
    workspaceId: workspace.id
    logs: [
      {
        categoryGroup: 'audit'
        enabled: true
      }
    ]
  }
}

@description('Name of the workspace.')
output workspaceName string = workspace.name

@description('What the query API knows the workspace by.')
output customerId string = workspace.properties.customerId

@description('Name of the component.')
output componentName string = component.name

@description('Where to send; no secret where local authentication is off.')
output connectionString string = component.properties.ConnectionString
