metadata description = 'The identity that the app does everything with.'

@description('Required. Name of the identity.')
param identityName string

@description('Required. The region.')
param location string

@description('Required. Tags.')
param tags object

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: identityName
  location: location
  tags: tags
}

@description('What the function app is given.')
output id string = identity.id

@description('What settings name it by.')
output clientId string = identity.properties.clientId

@description('What roles are assigned to.')
output principalId string = identity.properties.principalId
