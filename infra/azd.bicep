metadata description = 'What `azd up` deploys: a resource group, and agentmeter in it.'
targetScope = 'subscription'

@description('Required. Name of the azd environment.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Required. The region.')
param location string

@description('Optional. Tags on every resource, beside our own.')
param tags object = {}

// The parameters of main.bicep, with its bounds and defaults; azd.bicepparam reads each from the environment of azd.

@description('Optional. What the names of all resources have in common.')
@minLength(2)
@maxLength(12)
param name string = 'agentmeter'

@description('Optional. Most instances of each function group.')
@minValue(40)
@maxValue(1000)
param maximumInstances int = 100

@description('Optional. Memory of an instance in MB; what a second of work costs follows from it.')
@allowed([
  512
  2048
  4096
])
param instanceMemoryMB int = 2048

@description('Optional. Requests that one instance answers at a time.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 16

@description('Optional. Instances that are kept warm for ingest: 0 costs nothing idle and a cold start after a pause, 1 answers at once.')
@minValue(0)
@maxValue(100)
param alwaysReadyIngest int = 0

@description('Optional. Instances that are kept warm for processing the queue: 1 keeps a cold start out of the time from event to page.')
@minValue(0)
@maxValue(100)
param alwaysReadyProcessing int = 0

@description('Optional. Instances that are kept warm for the evaluation of rules: 1 keeps each run on time.')
@minValue(0)
@maxValue(1)
param alwaysReadyEvaluation int = 0

@description('Optional. Where accepted events wait to be processed: the storage queue, or an event hub beside it. draining: in the queue again, while what is left in the hub is processed; the way back from eventhubs to queue.')
@allowed([
  'queue'
  'eventhubs'
  'draining'
])
param eventBuffer string = 'queue'

@description('Optional. Keeps three copies of the storage account in three zones, where the region has them, instead of one place.')
param zoneRedundantStorage bool = false

@description('Optional. Days that the workspace keeps rows. The first 90 are included in the price of the tables of Application Insights.')
@minValue(30)
@maxValue(730)
param retentionDays int = 90

@description('Optional. GB a day after which the workspace drops what comes, until the next day; -1 for no cap. Dropped rows are lost: alerts are blind, and only GET /metrics goes on counting.')
@minValue(-1)
@maxValue(10000)
param dailyCapGb int = -1

@description('Optional. A deleted Key Vault cannot be purged before its 90 days are over. Turn it off for a deployment that is removed and made again; once on, it stays on.')
param vaultPurgeProtection bool = true

@description('Optional. Recovers the deleted Key Vault of an earlier deployment of this name, with its secrets, instead of making a new one.')
param recoverVault bool = false

@description('Optional. What a page links to, {id} in it the alert\'s id; empty: the Application Insights component in the portal.')
param link string = ''

@description('Optional. Further application settings by name (docs/settings.md): AGENTMETER_RUNBOOKS, AGENTMETER_SILENCE_LINK, AGENTMETER_VERSION, EXPORT_BY_SDK, LOGS_ENDPOINT, PRICES_REFRESH_URL, PRICES_REFRESH_HOURS, BATCH_MAX_EVENTS, BODY_MAX_BYTES, UNPACKED_MAX_BYTES, HTTP_PROXYING, OTLP_MAX_BYTES, OTLP_KEEP_CONTENT, LABEL_MAX_VALUES, SERIES_MAX, CLAIM_PARTITIONS, EVALUATE_EVERY_S, ALLOW_PLAIN_HTTP, RATE_LIMIT_REQUESTS, RATE_LIMIT_EVENTS, LOG_LEVEL, PAGERDUTY_URL. For laptops alone: AzureWebJobsStorage, AGENTMETER_STATE, AGENTMETER_CONFIG.')
param settings object = {}

@description('Optional. The settings whose values are in the Key Vault, of PAGERDUTY_DEFAULT_KEY, PAGERDUTY_CRITICAL_KEY, PAGERDUTY_WARNING_KEY, METRICS_TOKEN, HEARTBEAT_URL, WEBHOOK_URL, WEBHOOK_SECRET, SLACK_WEBHOOK_URL, or of any names that begin with RECEIVER_. One whose secret is not there yet counts as not set.')
param secretSettings array = [
  'PAGERDUTY_DEFAULT_KEY'
  'PAGERDUTY_CRITICAL_KEY'
  'PAGERDUTY_WARNING_KEY'
]

@description('Optional. Values for these settings, by name. An empty or absent one leaves the Key Vault as it is.')
@secure()
param secrets object = {}

@description('Optional. Object id of the person or group that operates this deployment: runs every command of ops, reads function keys, writes secrets. Empty for none.')
param operatorPrincipalId string = ''

@description('Optional. What that id is; empty: Azure finds out.')
@allowed([
  ''
  'User'
  'Group'
  'ServicePrincipal'
])
param operatorPrincipalType string = ''

@description('Optional. Object id of the group that reads: workbooks, queries, the state of resources. Empty for none.')
param readerGroupId string = ''

@description('Optional. Client id of an Entra app registration: callers then need its tokens beside the function key. Empty: the function key alone.')
param entraClientId string = ''

@description('Optional. Storage in a virtual network of its own, reached by private endpoints alone.')
param privateNetwork bool = false

@description('Optional. The dashboards in Grafana as well (Azure Monitor dashboards with Grafana), beside the workbooks.')
param grafanaDashboards bool = false

@description('Optional. Resource id of a Log Analytics workspace to use; empty: one is made. Its retention, cap and audit are then its owner\'s.')
param existingWorkspaceId string = ''

@description('Optional. Resource id of an Application Insights component to use; empty: one is made.')
param existingComponentId string = ''

@description('Optional. Resource id of a Key Vault to use, with roles for access; empty: one is made.')
param existingVaultId string = ''

@description('Optional. Addresses, as CIDR, of the virtual network that privateNetwork makes, of its subnet for the app, of that for endpoints.')
@minLength(3)
@maxLength(3)
param addressPrefixes array = [
  '10.0.0.0/16'
  '10.0.1.0/24'
  '10.0.2.0/24'
]

@description('Optional. Resource id of a subnet, delegated to Microsoft.App/environments, through which the app goes out; with privateNetwork, empty: one is made.')
param appSubnetId string = ''

@description('Optional. Resource id of a subnet for the private endpoints, together with appSubnetId; empty: one is made.')
param endpointSubnetId string = ''

@description('Optional. Resource ids of private DNS zones to use, by service: blob, queue, table; empty: they are made.')
param dnsZoneIds object = {}

@description('Optional. Registers the private endpoints in DNS; false where a policy of the landing zone does so.')
param registerNames bool = true

@description('Optional. Addresses, as CIDR, that may call the API; empty: any.')
param allowedAddresses array = []

@description('Optional. Locks storage account, workspace and Key Vault against deletion. Take the locks off before azd down.')
param locks bool = false

@description('Optional. E-mail addresses that are told when agentmeter itself is silent, fails or has reached its cap.')
param watchEmails array = []

@description('Optional. A web hook that is told the same in the common alert schema, such as the integration URL of PagerDuty\'s service for Azure.')
@secure()
param watchWebhookUri string = ''

@description('Optional. Keeps the host\'s own log too (FunctionAppLogs): it tells of a start that fails before Application Insights hears of it.')
param hostLogs bool = false

@description('Optional. Keeps a row for every query that the workspace answers (LAQueryLogs): who asked what. Rules ask twenty a minute.')
param queryAudit bool = false

// azd takes letters, digits and -_.() in a name; resources take less. A name of 2 to 16 letters, digits and single hyphens
// stays as it is; any other is cut down, and a hash of it keeps two of them apart.
var hyphened = replace(replace(replace(replace(replace(environmentName, '_', '-'), '.', '-'), '(', '-'), ')', '-'), ' ', '-')
var single = replace(replace(replace(replace(replace(replace(hyphened, '--', '-'), '--', '-'), '--', '-'), '--', '-'), '--', '-'), '--', '-')
var asItIs = single == environmentName && length(single) >= 2 && length(single) <= 16 && !startsWith(single, '-') && !endsWith(single, '-')
var deploymentName = asItIs ? environmentName : 'e${take(replace(single, '-', ''), 9)}${take(uniqueString(environmentName), 6)}'

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-agentmeter-${deploymentName}'
  location: location
  tags: union(tags, {
    'azd-env-name': environmentName
  })
}

module agentmeter 'main.bicep' = {
  name: 'agentmeter'
  scope: group
  params: {
    environmentName: deploymentName
    location: location
    tags: union(tags, {
      'azd-env-name': environmentName
    })
    name: name
    maximumInstances: maximumInstances
    instanceMemoryMB: instanceMemoryMB
    httpConcurrency: httpConcurrency
    alwaysReadyIngest: alwaysReadyIngest
    alwaysReadyProcessing: alwaysReadyProcessing
    alwaysReadyEvaluation: alwaysReadyEvaluation
    eventBuffer: eventBuffer
    zoneRedundantStorage: zoneRedundantStorage
    retentionDays: retentionDays
    dailyCapGb: dailyCapGb
    vaultPurgeProtection: vaultPurgeProtection
    recoverVault: recoverVault
    link: link
    settings: settings
    secretSettings: secretSettings
    secrets: secrets
    operatorPrincipalId: operatorPrincipalId
    operatorPrincipalType: operatorPrincipalType
    readerGroupId: readerGroupId
    entraClientId: entraClientId
    privateNetwork: privateNetwork
    grafanaDashboards: grafanaDashboards
    existingWorkspaceId: existingWorkspaceId
    existingComponentId: existingComponentId
    existingVaultId: existingVaultId
    addressPrefixes: addressPrefixes
    appSubnetId: appSubnetId
    endpointSubnetId: endpointSubnetId
    dnsZoneIds: dnsZoneIds
    registerNames: registerNames
    allowedAddresses: allowedAddresses
    locks: locks
    watchEmails: watchEmails
    watchWebhookUri: watchWebhookUri
    hostLogs: hostLogs
    queryAudit: queryAudit
  }
}

// azd keeps these in its environment: `azd env get-values` is what ops needs.

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

@description('Which of Azure\'s clouds this is.')
output AGENTMETER_CLOUD string = agentmeter.outputs.AGENTMETER_CLOUD

@description('Tables of the storage account.')
output AzureWebJobsStorage__tableServiceUri string = agentmeter.outputs.AzureWebJobsStorage__tableServiceUri

@description('Queues of the storage account.')
output AzureWebJobsStorage__queueServiceUri string = agentmeter.outputs.AzureWebJobsStorage__queueServiceUri
