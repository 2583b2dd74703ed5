metadata description = 'Private endpoints of the storage account, in a virtual network of its own or in one that was there.'

@description('Required. Name of the virtual network.')
param networkName string

@description('Required. The region.')
param location string

@description('Required. Tags.')
param tags object

@description('Required. Storage account to reach.')
param storageName string

@description('Required. Addresses of a network of its own, of its subnet for the app, of that for endpoints.')
param addressPrefixes array

@description('Required. Resource id of a subnet for the endpoints; empty: a network of its own is made.')
param endpointSubnetId string

@description('Required. Resource ids of private DNS zones by service: blob, queue, table; empty: zones of its own are made.')
param dnsZoneIds object

@description('Required. Registers the endpoints in these zones; false where a policy of the landing zone does.')
param registerNames bool

var ownNetwork = empty(endpointSubnetId)
var ownZones = registerNames && empty(dnsZoneIds)
var ownNetworkId = resourceId('Microsoft.Network/virtualNetworks', networkName)
var networkId = ownNetwork ? ownNetworkId : split(endpointSubnetId, '/subnets/')[0]
var services = [
  'blob'
  'queue'
  'table'
]

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageName
}

resource appRules 'Microsoft.Network/networkSecurityGroups@2025-05-01' = if (ownNetwork) {
  name: 'nsg-${networkName}-app'
  location: location
  tags: tags
}

resource endpointRules 'Microsoft.Network/networkSecurityGroups@2025-05-01' = if (ownNetwork) {
  name: 'nsg-${networkName}-endpoints'
  location: location
  tags: tags
}

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = if (ownNetwork) {
  name: networkName
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [
        addressPrefixes[0]
      ]
    }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: addressPrefixes[1]
          networkSecurityGroup: {
            id: appRules.id
          }
          delegations: [
            {
              name: 'flex'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: addressPrefixes[2]
          networkSecurityGroup: {
            id: endpointRules.id
          }
        }
      }
    ]
  }
}

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [for service in services: if (ownZones) {
  name: 'privatelink.${service}.${environment().suffixes.storage}'
  location: 'global'
  tags: tags
}]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [for (service, i) in services: if (ownZones) {
  parent: zones[i]
  name: networkName
  location: 'global'
  tags: tags
  dependsOn: [
    network
  ]
  properties: {
    registrationEnabled: false
    virtualNetwork: {
      id: networkId
    }
  }
}]

resource endpoints 'Microsoft.Network/privateEndpoints@2025-05-01' = [for service in services: {
  name: 'pep-${storageName}-${service}'
  location: location
  tags: tags
  dependsOn: [
    network
  ]
  properties: {
    subnet: {
      id: ownNetwork ? '${networkId}/subnets/endpoints' : endpointSubnetId
    }
    privateLinkServiceConnections: [
      {
        name: service
        properties: {
          privateLinkServiceId: storage.id
          groupIds: [
            service
          ]
        }
      }
    ]
  }
}]

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-05-01' = [for (service, i) in services: if (registerNames) {
  parent: endpoints[i]
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: service
        properties: {
          privateDnsZoneId: ownZones ? zones[i].id : dnsZoneIds[service]
        }
      }
    ]
  }
}]
