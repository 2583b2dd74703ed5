metadata description = 'agentmeter: ingestion, pricing and alerting for fleets of AI agents, on Azure Functions.'
targetScope = 'resourceGroup'

// What it is called and where it is

@description('Optional. What the names of all resources have in common.')
@minLength(2)
@maxLength(12)
param name string = 'agentmeter'

@description('Required. Which deployment this is: dev, prod, … Part of names, tags and incident keys, so that two never share one.')
@minLength(2)
@maxLength(16)
param environmentName string

@description('Optional. The region. Flex Consumption is not in all of them: az functionapp list-flexconsumption-locations.')
param location string = resourceGroup().location

@description('Optional. Tags on every resource, beside our own.')
param tags object = {}

// What it may use

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

// What it is told

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

// Who may do what

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

// What a landing zone has already

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

// Who watches it

@description('Optional. E-mail addresses that are told when agentmeter itself is silent, fails or has reached its cap.')
param watchEmails array = []

@description('Optional. A web hook that is told the same in the common alert schema, such as the integration URL of PagerDuty\'s service for Azure.')
@secure()
param watchWebhookUri string = ''

@description('Optional. Keeps the host\'s own log too (FunctionAppLogs): it tells of a start that fails before Application Insights hears of it.')
param hostLogs bool = false

@description('Optional. Keeps a row for every query that the workspace answers (LAQueryLogs): who asked what. Rules ask twenty a minute.')
param queryAudit bool = false

var suffix = uniqueString(resourceGroup().id, name, environmentName)
var stem = '${name}-${environmentName}'
var networkName = 'vnet-${stem}'
var workspaceName = 'log-${stem}'
var componentName = 'appi-${stem}'
var ownVaultName = 'kv-${take(replace(name, '-', ''), 6)}-${suffix}'
var ownWorkspaceId = resourceId('Microsoft.OperationalInsights/workspaces', workspaceName)
var workspaceId = empty(existingWorkspaceId) ? ownWorkspaceId : existingWorkspaceId
var ownComponentId = resourceId('Microsoft.Insights/components', componentName)
var componentId = empty(existingComponentId) ? ownComponentId : existingComponentId
var vaultId = empty(existingVaultId) ? resourceId('Microsoft.KeyVault/vaults', ownVaultName) : existingVaultId
var vaultName = split(vaultId, '/')[8]
var ownSubnetId = privateNetwork ? resourceId('Microsoft.Network/virtualNetworks/subnets', networkName, 'app') : ''
var hubNamespace = eventBuffer == 'queue' ? '' : 'evhns-${stem}-${take(suffix, 6)}'
var allTags = union(tags, {
  application: name
  environment: environmentName
})

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    workspaceName: workspaceName
    componentName: componentName
    existingWorkspaceId: existingWorkspaceId
    existingComponentId: existingComponentId
    location: location
    tags: allTags
    retentionDays: retentionDays
    dailyCapGb: dailyCapGb
    queryAudit: queryAudit
  }
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  params: {
    identityName: 'id-${stem}'
    location: location
    tags: allTags
  }
}

module network 'modules/network.bicep' = if (privateNetwork) {
  name: 'network'
  params: {
    networkName: networkName
    location: location
    tags: allTags
    storageName: data.outputs.storageName
    addressPrefixes: addressPrefixes
    endpointSubnetId: endpointSubnetId
    dnsZoneIds: dnsZoneIds
    registerNames: registerNames
  }
}

module data 'modules/data.bicep' = {
  name: 'data'
  params: {
    storageName: 'st${take(toLower(replace('${name}${environmentName}', '-', '')), 9)}${suffix}'
    location: location
    tags: allTags
    zoneRedundant: zoneRedundantStorage
    privateOnly: privateNetwork
  }
}

module hub 'modules/hub.bicep' = if (eventBuffer != 'queue') {
  name: 'hub'
  params: {
    namespaceName: hubNamespace
    location: location
    tags: allTags
    appPrincipalId: identity.outputs.principalId
  }
}

module vault 'modules/vault.bicep' = if (empty(existingVaultId)) {
  name: 'vault'
  dependsOn: [
    monitoring
  ]
  params: {
    vaultName: ownVaultName
    location: location
    tags: allTags
    purgeProtection: vaultPurgeProtection
    recover: recoverVault
    workspaceId: workspaceId
  }
}

module keys 'modules/secrets.bicep' = {
  name: 'secrets'
  scope: resourceGroup(split(vaultId, '/')[2], split(vaultId, '/')[4])
  dependsOn: [
    vault
  ]
  params: {
    vaultName: vaultName
    secrets: secrets
  }
}

module access 'modules/access.bicep' = {
  name: 'access'
  dependsOn: [
    monitoring
    vault
  ]
  params: {
    appPrincipalId: identity.outputs.principalId
    operatorPrincipalId: operatorPrincipalId
    operatorPrincipalType: operatorPrincipalType
    readerGroupId: readerGroupId
    storageName: data.outputs.storageName
    vaultId: vaultId
    workspaceId: workspaceId
    componentId: componentId
  }
}

module app 'modules/app.bicep' = {
  name: 'app'
  dependsOn: [
    access
    hub
    keys
    network
  ]
  params: {
    appName: 'func-${stem}-${take(suffix, 6)}'
    planName: 'plan-${stem}'
    location: location
    tags: union(allTags, {
      'azd-service-name': 'app'
    })
    deploymentName: stem
    link: link
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    storageName: data.outputs.storageName
    packageUrl: data.outputs.packageUrl
    eventBuffer: eventBuffer
    hubNamespace: hubNamespace
    vaultName: vaultName
    workspaceId: workspaceId
    componentId: componentId
    subnetId: empty(appSubnetId) ? ownSubnetId : appSubnetId
    scale: {
      maximumInstances: maximumInstances
      instanceMemoryMB: instanceMemoryMB
      httpConcurrency: httpConcurrency
      alwaysReadyIngest: alwaysReadyIngest
      alwaysReadyProcessing: alwaysReadyProcessing
      alwaysReadyEvaluation: alwaysReadyEvaluation
    }
    settings: settings
    secretSettings: secretSettings
    entraClientId: entraClientId
    allowedAddresses: allowedAddresses
    hostLogs: hostLogs
  }
}

module functions 'modules/functions.bicep' = {
  name: 'functions-${stem}'
  scope: resourceGroup(split(workspaceId, '/')[2], split(workspaceId, '/')[4])
  dependsOn: [
    monitoring
  ]
  params: {
    workspaceName: split(workspaceId, '/')[8]
  }
}

module queries 'modules/queries.bicep' = {
  name: 'queries'
  params: {
    queryPackName: 'pack-${stem}'
    location: location
    tags: allTags
  }
}

module workbooks 'modules/workbooks.bicep' = {
  name: 'workbooks'
  dependsOn: [
    functions
  ]
  params: {
    stem: stem
    workspaceId: workspaceId
    location: location
    tags: allTags
  }
}

module grafana 'modules/grafana.bicep' = if (grafanaDashboards) {
  name: 'grafana'
  params: {
    suffix: suffix
    location: location
    tags: allTags
  }
}

module watch 'modules/watch.bicep' = {
  name: 'watch'
  dependsOn: [
    monitoring
  ]
  params: {
    stem: stem
    location: location
    tags: allTags
    workspaceId: workspaceId
    emails: watchEmails
    webhookUri: watchWebhookUri
  }
}

module kept 'modules/locks.bicep' = if (locks) {
  name: 'locks'
  dependsOn: [
    app
  ]
  params: {
    storageName: data.outputs.storageName
    workspaceName: empty(existingWorkspaceId) ? workspaceName : ''
    vaultName: empty(existingVaultId) ? ownVaultName : ''
  }
}

@description('The function app: az functionapp … --name.')
output AZURE_FUNCTION_NAME string = app.outputs.appName

@description('Where agents send: POST <url>/api/events.')
output AGENTMETER_URL string = app.outputs.url

@description('The Key Vault that holds the secret settings.')
output AZURE_KEY_VAULT_NAME string = vaultName

@description('The subscription that the group is in.')
output AZURE_SUBSCRIPTION_ID string = subscription().subscriptionId

@description('The group that all of it is in.')
output AZURE_RESOURCE_GROUP string = resourceGroup().name

// The names below are those that bin/ops reads from the environment.

@description('Where events and metrics go. No secret: the component takes nothing without a token.')
output APPLICATIONINSIGHTS_CONNECTION_STRING string = app.outputs.connectionString

@description('Says that the connection string is used with a token.')
output APPLICATIONINSIGHTS_AUTHENTICATION_STRING string = 'Authorization=AAD'

@description('The workspace that queries ask.')
output LOGS_WORKSPACE_ID string = app.outputs.customerId

@description('Which of Azure\'s clouds this is.')
output AGENTMETER_CLOUD string = environment().name

@description('Tables of the storage account.')
output AzureWebJobsStorage__tableServiceUri string = data.outputs.tableUri

@description('Queues of the storage account.')
output AzureWebJobsStorage__queueServiceUri string = data.outputs.queueUri
