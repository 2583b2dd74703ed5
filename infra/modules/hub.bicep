metadata description = 'The event hub that buffers accepted events in place of the storage queue, and who may use it.'

@description('Required. Name of the Event Hubs namespace.')
@minLength(6)
@maxLength(50)
param namespaceName string

@description('Required. The region.')
param location string

@description('Required. Tags.')
param tags object

@description('Required. The app\'s identity: it sends and receives.')
param appPrincipalId string

// As many as the tier has: instances that work at a time are no more than partitions, and it cannot be changed later.
var partitions = 32
var retentionDays = 7

// Names as the portal shows them; the ids are the same in every tenant.
var roles = {
  'Azure Event Hubs Data Receiver': 'a638d3c7-ab3a-418d-83e6-5f17a39d4fde'
  'Azure Event Hubs Data Sender': '2b629674-e913-4c01-ae53-ef4638d8f975'
}

// The house check knows no types of Event Hubs; the compiler does.
#disable-next-line BCP081
resource namespace 'Microsoft.EventHub/namespaces@2026-01-01' = {
  name: namespaceName
  location: location
  tags: tags
  sku: {
    name: 'Standard'
    tier: 'Standard'
    capacity: 1
  }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    isAutoInflateEnabled: true
    maximumThroughputUnits: 40
  }
}

#disable-next-line BCP081
resource hub 'Microsoft.EventHub/namespaces/eventhubs@2026-01-01' = {
  parent: namespace
  name: 'usage-events'
  properties: {
    partitionCount: partitions
    messageRetentionInDays: retentionDays
  }
}

resource grants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in items(roles): {
    name: guid(namespace.id, appPrincipalId, role.value)
    scope: namespace
    properties: {
      principalId: appPrincipalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.value)
    }
  }
]

@description('Resource id of the hub.')
output hubId string = hub.id
