metadata description = 'The secrets that this deployment brings into a Key Vault, its own or one that was there.'

@description('Required. Name of the vault.')
param vaultName string

@description('Required. Values by the name of their setting; empty ones are left as they are.')
@secure()
param secrets object

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: vaultName
}

resource values 'Microsoft.KeyVault/vaults/secrets@2025-05-01' = [
  for secret in items(secrets): if (!empty(secret.value)) {
    parent: vault
    name: replace(secret.key, '_', '-')
    properties: {
      value: secret.value
      contentType: 'application setting ${secret.key}'
    }
  }
]
