metadata description = 'Who may do what: exactly the roles that the app needs, and those of a person who operates it.'

@description('Required. The app\'s identity.')
param appPrincipalId string

@description('Required. The operator, empty for none.')
param operatorPrincipalId string

@description('Required. What the operator\'s id is; empty: Azure finds out.')
param operatorPrincipalType string

@description('Required. The group that reads, empty for none.')
param readerGroupId string

@description('Required. Storage account of the app.')
param storageName string

@description('Required. Resource id of the Key Vault of the app.')
param vaultId string

@description('Required. Resource id of the workspace that rules query.')
param workspaceId string

@description('Required. Resource id of the component that events go to.')
param componentId string

// Names as the portal shows them; the ids are the same in every tenant.
var roles = {
  'Storage Blob Data Owner': 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  'Storage Queue Data Contributor': '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  'Storage Table Data Contributor': '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  'Monitoring Metrics Publisher': '3913510d-42f4-4e42-8a64-420c390055eb'
  'Log Analytics Reader': '73c42c96-874c-492b-b04d-ab87d138a893'
  'Key Vault Secrets User': '4633458b-17de-408a-b874-0445c86b69e6'
  'Key Vault Secrets Officer': 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'
  'Website Contributor': 'de139f84-1756-47ae-9be6-808fbbe84772'
  'Monitoring Reader': '43d0d8ad-25c7-4714-9337-8ba259a9fe05'
}

var app = {
  id: appPrincipalId
  type: 'ServicePrincipal'
}
var operator = {
  id: operatorPrincipalId
  type: empty(operatorPrincipalType) ? null : operatorPrincipalType
}
var operated = !empty(operatorPrincipalId)
var reader = {
  id: readerGroupId
  type: 'Group'
}

// Blobs: the host's locks and timers, and the package. The operator reads and replays queues, reads tables.
var storageOfApp = [
  { who: app, role: 'Storage Blob Data Owner' }
  { who: app, role: 'Storage Queue Data Contributor' }
  { who: app, role: 'Storage Table Data Contributor' }
]
var storageOfOperator = [
  { who: operator, role: 'Storage Queue Data Contributor' }
  { who: operator, role: 'Storage Table Data Contributor' }
]
var storageGrants = concat(storageOfApp, operated ? storageOfOperator : [])
var vaultOfApp = [
  { who: app, role: 'Key Vault Secrets User' }
]
var vaultOfOperator = [
  { who: operator, role: 'Key Vault Secrets Officer' }
]
var vaultGrants = concat(vaultOfApp, operated ? vaultOfOperator : [])
var workspaceOfApp = [
  { who: app, role: 'Log Analytics Reader' }
]
var workspaceOfOperator = [
  { who: operator, role: 'Log Analytics Reader' }
]
var workspaceGrants = concat(workspaceOfApp, operated ? workspaceOfOperator : [])
// The operator's `reprice` writes events.
var componentOfApp = [
  { who: app, role: 'Monitoring Metrics Publisher' }
]
var componentOfOperator = [
  { who: operator, role: 'Monitoring Metrics Publisher' }
]
var componentGrants = concat(componentOfApp, operated ? componentOfOperator : [])

// On the group: function keys, settings and roles for `ops doctor`; the state of resources, queries and workbooks.
var groupOfOperator = [
  { who: operator, role: 'Website Contributor' }
]
var groupOfReader = [
  { who: reader, role: 'Monitoring Reader' }
]
var groupGrants = concat(operated ? groupOfOperator : [], empty(readerGroupId) ? [] : groupOfReader)

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageName
}

resource onStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for grant in storageGrants: {
    name: guid(storage.id, grant.who.id, roles[grant.role])
    scope: storage
    properties: {
      principalId: grant.who.id
      principalType: grant.who.type
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles[grant.role])
    }
  }
]

module onVault 'on_vault.bicep' = {
  name: 'on-vault'
  scope: resourceGroup(split(vaultId, '/')[2], split(vaultId, '/')[4])
  params: {
    vaultName: split(vaultId, '/')[8]
    grants: vaultGrants
    roles: roles
  }
}

module onWorkspace 'on_workspace.bicep' = {
  name: 'on-workspace'
  scope: resourceGroup(split(workspaceId, '/')[2], split(workspaceId, '/')[4])
  params: {
    workspaceName: split(workspaceId, '/')[8]
    grants: workspaceGrants
    roles: roles
  }
}

module onComponent 'on_component.bicep' = {
  name: 'on-component'
  scope: resourceGroup(split(componentId, '/')[2], split(componentId, '/')[4])
  params: {
    componentName: split(componentId, '/')[8]
    grants: componentGrants
    roles: roles
  }
}

resource onGroup 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for grant in groupGrants: {
    name: guid(resourceGroup().id, grant.who.id, roles[grant.role])
    properties: {
      principalId: grant.who.id
      principalType: grant.who.type
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles[grant.role])
    }
  }
]
