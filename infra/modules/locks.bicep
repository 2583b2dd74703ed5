metadata description = 'Locks against deletion, on the resources of this deployment that hold data.'

@description('Required. Storage account: what is counted, open alerts, waiting messages.')
param storageName string

@description('Required. Workspace of this deployment; empty where it was there already.')
param workspaceName string

@description('Required. Key Vault of this deployment; empty where it was there already.')
param vaultName string

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageName
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = if (!empty(workspaceName)) {
  name: workspaceName
}

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = if (!empty(vaultName)) {
  name: vaultName
}

resource onStorage 'Microsoft.Authorization/locks@2020-05-01' = {
  name: 'agentmeter'
  scope: storage
  properties: {
    level: 'CanNotDelete'
    notes: 'Holds what is counted, open alerts and waiting messages.'
  }
}

resource onWorkspace 'Microsoft.Authorization/locks@2020-05-01' = if (!empty(workspaceName)) {
  name: 'agentmeter'
  scope: workspace
  properties: {
    level: 'CanNotDelete'
    notes: 'Holds every event.'
  }
}

resource onVault 'Microsoft.Authorization/locks@2020-05-01' = if (!empty(vaultName)) {
  name: 'agentmeter'
  scope: vault
  properties: {
    level: 'CanNotDelete'
    notes: 'Holds the keys of pagers.'
  }
}
