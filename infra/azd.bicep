metadata description = 'What `azd up` deploys: a resource group, and agentmeter in it.'
targetScope = 'subscription'

@description('Required. Name of the azd environment; the deployment has the same.')
@minLength(2)
@maxLength(16)
param environmentName string

@description('Required. The region.')
param location string

@description('Required. Object id of whoever runs azd: operates the deployment.')
param principalId string

@description('Optional. What that id is.')
@allowed([
  'User'
  'ServicePrincipal'
])
param principalType string = 'User'

@description('Optional. Kept warm for ingest.')
param alwaysReadyIngest int = 0

@description('Optional. Kept warm for the evaluation of rules.')
param alwaysReadyEvaluation int = 0

@description('Optional. GB a day after which the workspace drops what comes; -1 for no cap.')
param dailyCapGb int = -1

@description('Optional. Who is told when agentmeter itself is silent or fails.')
param watchEmails array = []

@description('Optional. Values of secret settings, by name.')
@secure()
param secrets object = {}

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-agentmeter-${environmentName}'
  location: location
  tags: {
    'azd-env-name': environmentName
  }
}

module agentmeter 'main.bicep' = {
  name: 'agentmeter'
  scope: group
  params: {
    environmentName: environmentName
    location: location
    tags: {
      'azd-env-name': environmentName
    }
    operatorPrincipalId: principalId
    operatorPrincipalType: principalType
    alwaysReadyIngest: alwaysReadyIngest
    alwaysReadyEvaluation: alwaysReadyEvaluation
    dailyCapGb: dailyCapGb
    watchEmails: watchEmails
    secrets: secrets
  }
}

// azd keeps these in its environment: `azd env get-values` is what python -m ops needs.

@description('The function app.')
output AZURE_FUNCTION_NAME string = agentmeter.outputs.AZURE_FUNCTION_NAME

@description('Where agents send.')
output AGENTMETER_URL string = agentmeter.outputs.AGENTMETER_URL

@description('The Key Vault that holds the secret settings.')
output AZURE_KEY_VAULT_NAME string = agentmeter.outputs.AZURE_KEY_VAULT_NAME

@description('The subscription that the group is in.')
output AZURE_SUBSCRIPTION_ID string = agentmeter.outputs.AZURE_SUBSCRIPTION_ID

@description('The group that all of it is in.')
output AZURE_RESOURCE_GROUP string = agentmeter.outputs.AZURE_RESOURCE_GROUP

@description('Where events and metrics go.')
output APPLICATIONINSIGHTS_CONNECTION_STRING string = agentmeter.outputs.APPLICATIONINSIGHTS_CONNECTION_STRING

@description('Says that the connection string is used with a token.')
output APPLICATIONINSIGHTS_AUTHENTICATION_STRING string = agentmeter.outputs.APPLICATIONINSIGHTS_AUTHENTICATION_STRING

@description('The workspace that queries ask.')
output LOGS_WORKSPACE_ID string = agentmeter.outputs.LOGS_WORKSPACE_ID

@description('Tables of the storage account.')
output AzureWebJobsStorage__tableServiceUri string = agentmeter.outputs.AzureWebJobsStorage__tableServiceUri

@description('Queues of the storage account.')
output AzureWebJobsStorage__queueServiceUri string = agentmeter.outputs.AzureWebJobsStorage__queueServiceUri
