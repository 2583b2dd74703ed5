// prod: answers at once, keeps its minute, loses nothing to a cap, and is watched from outside.
// az deployment group create --resource-group GROUP --parameters infra/main.prod.bicepparam
using './main.bicep'

param environmentName = readEnvironmentVariable('AGENTMETER_ENVIRONMENT', 'prod')
param operatorPrincipalId = readEnvironmentVariable('AGENTMETER_OPERATOR', '')
param operatorPrincipalType = readEnvironmentVariable('AGENTMETER_OPERATOR_TYPE', '')
param alwaysReadyIngest = 1
param alwaysReadyProcessing = 1
param alwaysReadyEvaluation = 1
param zoneRedundantStorage = true
param dailyCapGb = -1
param watchEmails = json(empty(readEnvironmentVariable('WATCH_EMAILS')) ? '[]' : readEnvironmentVariable('WATCH_EMAILS'))
param watchWebhookUri = readEnvironmentVariable('WATCH_WEBHOOK_URI', '')
param secrets = {
  PAGERDUTY_DEFAULT_KEY: readEnvironmentVariable('PAGERDUTY_DEFAULT_KEY', '')
  PAGERDUTY_CRITICAL_KEY: readEnvironmentVariable('PAGERDUTY_CRITICAL_KEY', '')
  PAGERDUTY_WARNING_KEY: readEnvironmentVariable('PAGERDUTY_WARNING_KEY', '')
}
