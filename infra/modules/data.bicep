metadata description = 'The storage account: queues, tables and the container of the deployed package.'

@description('Required. Name of the storage account.')
@minLength(3)
@maxLength(24)
param storageName string

@description('Required. The region.')
param location string

@description('Required. Tags.')
param tags object

@description('Required. Copies in three zones instead of three copies in one.')
param zoneRedundant bool

@description('Required. Only private endpoints reach it.')
param privateOnly bool

var queueNames = [
  'usage-events'
  'usage-events-poison'
]
var tableNames = [
  'alerts'
  'claims'
  'series'
  'silences'
  'texts'
  'traces'
]
var packageContainerName = 'app-package'

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: storageName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS'
  }
  properties: {
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: privateOnly ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: privateOnly ? 'None' : 'AzureServices'
      defaultAction: privateOnly ? 'Deny' : 'Allow'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: storage
  name: 'default'
  properties: {
    deleteRetentionPolicy: {
      enabled: true
      days: 7
    }
  }
}

resource packages 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobs
  name: packageContainerName
  properties: {
    publicAccess: 'None'
  }
}

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-06-01' = {
  parent: storage
  name: 'default'
}

resource queues 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' = [
  for queueName in queueNames: {
    parent: queueService
    name: queueName
  }
]

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2025-06-01' = {
  parent: storage
  name: 'default'
}

resource tables 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-06-01' = [
  for tableName in tableNames: {
    parent: tableService
    name: tableName
  }
]

@description('Name of the storage account.')
output storageName string = storage.name

@description('Where deployments put the package.')
output packageUrl string = '${storage.properties.primaryEndpoints.blob}${packageContainerName}'

@description('Address of the queues.')
output queueUri string = storage.properties.primaryEndpoints.queue

@description('Address of the tables.')
output tableUri string = storage.properties.primaryEndpoints.table
