metadata description = 'The workspace that keeps everything, and the component through which it comes in; either may be there already.'

@description('Required. Name of the Log Analytics workspace.')
param workspaceName string

@description('Required. Name of the Application Insights component.')
param componentName string

@description('Required. Resource id of a workspace that is there already; empty: one is made.')
param existingWorkspaceId string

@description('Required. Resource id of a component that is there already; empty: one is made.')
param existingComponentId string

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

var ownWorkspace = empty(existingWorkspaceId)
var ownWorkspaceId = resourceId('Microsoft.OperationalInsights/workspaces', workspaceName)

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = if (ownWorkspace) {
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

resource component 'Microsoft.Insights/components@2020-02-02' = if (empty(existingComponentId)) {
  name: componentName
  location: location
  tags: tags
  kind: 'web'
  dependsOn: [
    workspace
  ]
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: ownWorkspace ? ownWorkspaceId : existingWorkspaceId
    IngestionMode: 'LogAnalytics'
    DisableLocalAuth: true
    publicNetworkAccessForIngestion: 'Enabled'
    publicNetworkAccessForQuery: 'Enabled'
  }
}

// The version that it asks for, 2016-09-01, knows no category groups and one setting a resource.
#disable-next-line use-recent-api-versions
resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (queryAudit && ownWorkspace) {
  name: 'audit'
  scope: workspace
  properties: {
    workspaceId: ownWorkspaceId
    logs: [
      {
        categoryGroup: 'audit'
        enabled: true
      }
    ]
  }
}
