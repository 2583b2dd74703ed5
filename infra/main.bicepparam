// dev: costs next to nothing while nobody uses it, and can never cost much.
// az deployment group create --resource-group GROUP --parameters infra/main.bicepparam
using './main.bicep'

param environmentName = readEnvironmentVariable('AGENTMETER_ENVIRONMENT', 'dev')
param operatorPrincipalId = readEnvironmentVariable('AGENTMETER_OPERATOR', '')
param operatorPrincipalType = readEnvironmentVariable('AGENTMETER_OPERATOR_TYPE', '')
param dailyCapGb = 1
param vaultPurgeProtection = false
param retentionDays = 30
param instanceMemoryMB = 512
param secrets = {
  PAGERDUTY_DEFAULT_KEY: readEnvironmentVariable('PAGERDUTY_DEFAULT_KEY', '')
  PAGERDUTY_CRITICAL_KEY: readEnvironmentVariable('PAGERDUTY_CRITICAL_KEY', '')
  PAGERDUTY_WARNING_KEY: readEnvironmentVariable('PAGERDUTY_WARNING_KEY', '')
}
