metadata description = 'Roles on a Key Vault, in whichever group it is.'

@description('Required. Its name.')
param vaultName string

@description('Required. Who gets which role: who (id, type), role.')
param grants array

@description('Required. Ids of roles by name.')
param roles object

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: vaultName
}

resource granted 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for grant in grants: {
    name: guid(vault.id, grant.who.id, roles[grant.role])
    scope: vault
    properties: {
      principalId: grant.who.id
      principalType: grant.who.type
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles[grant.role])
    }
  }
]
