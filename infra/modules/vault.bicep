metadata description = 'The Key Vault of this deployment.'

@description('Required. Name of the vault.')
@minLength(3)
@maxLength(24)
param vaultName string

@description('Required. The region.')
param location string

@description('Required. Tags.')
param tags object

@description('Required. Keeps a deleted vault from being purged.')
param purgeProtection bool

@description('Required. Recovers the deleted vault of this name.')
param recover bool

@description('Required. Resource id of the workspace that hears who read which secret.')
param workspaceId string

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' = {
  name: vaultName
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    // Azure takes true or nothing: what is on cannot be turned off.
    enablePurgeProtection: purgeProtection ? true : null
    createMode: recover ? 'recover' : 'default'
    softDeleteRetentionInDays: 90
    // Flex Consumption resolves no references to a vault that only a network reaches: roles alone guard it.
    publicNetworkAccess: 'Enabled'
  }
}

// The version that it asks for, 2016-09-01, knows no category groups and one setting a resource.
#disable-next-line use-recent-api-versions
resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'audit'
        enabled: true
      }
    ]
  }
}
