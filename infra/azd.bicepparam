// What `azd up` asks of its environment: `azd env set NAME VALUE`.
using './azd.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME')
param location = readEnvironmentVariable('AZURE_LOCATION')
param principalId = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
param principalType = readEnvironmentVariable('AZURE_PRINCIPAL_TYPE', 'User')
param alwaysReadyIngest = int(readEnvironmentVariable('ALWAYS_READY_INGEST', '0'))
param alwaysReadyEvaluation = int(readEnvironmentVariable('ALWAYS_READY_EVALUATION', '0'))
param dailyCapGb = int(readEnvironmentVariable('DAILY_CAP_GB', '-1'))
param watchEmails = json(readEnvironmentVariable('WATCH_EMAILS', '[]'))
param secrets = {
  PAGERDUTY_DEFAULT_KEY: readEnvironmentVariable('PAGERDUTY_DEFAULT_KEY', '')
  PAGERDUTY_CRITICAL_KEY: readEnvironmentVariable('PAGERDUTY_CRITICAL_KEY', '')
  PAGERDUTY_WARNING_KEY: readEnvironmentVariable('PAGERDUTY_WARNING_KEY', '')
}
