metadata description = 'The function app on its Flex Consumption plan, and every setting that it has.'

@description('Required. Name of the function app.')
param appName string

@description('Required. Name of its plan; Flex Consumption has one app a plan.')
param planName string

@description('Required. The region.')
param location string

@description('Required. Tags.')
param tags object

@description('Required. Names this deployment in incident keys.')
param deploymentName string

@description('Required. What a page links to; empty: the portal\'s page of the component.')
param link string

@description('Required. Resource id of the app\'s identity.')
param identityId string

@description('Required. Client id of the same.')
param identityClientId string

@description('Required. Storage account of the app.')
param storageName string

@description('Required. Where the package is.')
param packageUrl string

@description('Required. Where accepted events wait: queue, eventhubs or draining.')
param eventBuffer string

@description('Required. Event Hubs namespace; empty for none.')
param hubNamespace string

@description('Required. Key Vault with the secret settings.')
param vaultName string

@description('Required. Resource id of the workspace that rules query.')
param workspaceId string

@description('Required. Resource id of the component that events go to.')
param componentId string

@description('Required. Subnet for what goes out; empty for none.')
param subnetId string

@description('Required. maximumInstances, instanceMemoryMB, httpConcurrency, alwaysReadyIngest, alwaysReadyProcessing, alwaysReadyEvaluation.')
param scale object

@description('Required. Further settings, none of those below.')
param settings object

@description('Required. Names of settings that are in the vault.')
param secretSettings array

@description('Required. Client id of an Entra app registration; empty for none.')
param entraClientId string

@description('Required. Addresses, as CIDR, that may call the app; empty: any.')
param allowedAddresses array

@description('Required. Keeps the host\'s own log too.')
param hostLogs bool

// Threads: what the queue listener of an instance runs at a time, or its requests, whichever is more.
var queueOptions = loadJsonContent('../../host.json', 'extensions.queues')
var threads = max(queueOptions.batchSize + queueOptions.newBatchThreshold, scale.httpConcurrency)

// What works the buffer off, which is the function to keep warm.
var processing = eventBuffer == 'eventhubs' ? 'function:process_event_hub' : 'function:process_events'
var wanted = [
  { name: 'http', instanceCount: scale.alwaysReadyIngest }
  { name: processing, instanceCount: scale.alwaysReadyProcessing }
  { name: 'function:evaluate_alerts', instanceCount: scale.alwaysReadyEvaluation }
]
var alwaysReady = filter(wanted, one => one.instanceCount > 0)

// The names of storage and of Event Hubs end alike in each of Azure's clouds, but for the service.
var hubHost = '${hubNamespace}.${replace(environment().suffixes.storage, 'core.', 'servicebus.')}'
var ownSettings = [
  { name: 'AzureWebJobsStorage__credential', value: 'managedidentity' }
  { name: 'AzureWebJobsStorage__clientId', value: identityClientId }
  { name: 'AzureWebJobsStorage__blobServiceUri', value: storage.properties.primaryEndpoints.blob }
  { name: 'AzureWebJobsStorage__queueServiceUri', value: storage.properties.primaryEndpoints.queue }
  { name: 'AzureWebJobsStorage__tableServiceUri', value: storage.properties.primaryEndpoints.table }
  { name: 'APPLICATIONINSIGHTS_CONNECTION_STRING', value: component.properties.ConnectionString }
  { name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING', value: 'ClientId=${identityClientId};Authorization=AAD' }
  { name: 'AZURE_CLIENT_ID', value: identityClientId }
  { name: 'LOGS_WORKSPACE_ID', value: workspace.properties.customerId }
  { name: 'LOGS_RESOURCE_ID', value: workspaceId }
  { name: 'AGENTMETER_CLOUD', value: environment().name }
  { name: 'AGENTMETER_DEPLOYMENT', value: deploymentName }
  { name: 'AGENTMETER_LINK', value: empty(link) ? '${environment().portal}/#resource${componentId}/overview' : link }
  { name: 'PYTHON_THREADPOOL_THREAD_COUNT', value: string(threads) }
  { name: 'PYTHON_ENABLE_INIT_INDEXING', value: '1' }
  { name: 'EVENT_BUFFER', value: eventBuffer == 'eventhubs' ? 'eventhubs' : 'queue' }
]
var hubSettings = [
  { name: 'EVENT_HUB__fullyQualifiedNamespace', value: hubHost }
  { name: 'EVENT_HUB__credential', value: 'managedidentity' }
  { name: 'EVENT_HUB__clientId', value: identityClientId }
]
var secretReferences = [
  for setting in secretSettings: {
    name: setting
    value: '@Microsoft.KeyVault(VaultName=${vaultName};SecretName=${replace(setting, '_', '-')})'
  }
]
var furtherSettings = [
  for setting in items(settings): {
    name: setting.key
    value: string(setting.value)
  }
]

var restrictions = [
  for (address, i) in allowedAddresses: {
    name: 'allowed${i}'
    ipAddress: address
    action: 'Allow'
    priority: 100 + i
  }
]

// What machines ask without a token: their own secret (METRICS_TOKEN) is checked by the app.
var openPaths = [
  '/metrics'
  '/api/health'
  '/api/health/alerts'
]

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageName
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: split(workspaceId, '/')[8]
  scope: resourceGroup(split(workspaceId, '/')[2], split(workspaceId, '/')[4])
}

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: split(componentId, '/')[8]
  scope: resourceGroup(split(componentId, '/')[2], split(componentId, '/')[4])
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: appName
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.13'
      }
      scaleAndConcurrency: {
        maximumInstanceCount: scale.maximumInstances
        instanceMemoryMB: scale.instanceMemoryMB
        alwaysReady: alwaysReady
        triggers: {
          http: {
            perInstanceConcurrency: scale.httpConcurrency
          }
        }
      }
    }
    siteConfig: {
      appSettings: concat(ownSettings, empty(hubNamespace) ? [] : hubSettings, secretReferences, furtherSettings)
      ftpsState: 'Disabled'
      http20Enabled: true
      minTlsVersion: '1.2'
      ipSecurityRestrictionsDefaultAction: empty(allowedAddresses) ? 'Allow' : 'Deny'
      ipSecurityRestrictions: restrictions
    }
  }
}

resource ftp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource scm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

resource entra 'Microsoft.Web/sites/config@2025-03-01' = if (!empty(entraClientId)) {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: {
      enabled: true
    }
    globalValidation: {
      requireAuthentication: true
      unauthenticatedClientAction: 'Return401'
      excludedPaths: openPaths
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: entraClientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [
            entraClientId
            'api://${entraClientId}'
          ]
        }
      }
    }
    login: {
      tokenStore: {
        enabled: false
      }
    }
  }
}

// The version that it asks for, 2016-09-01, knows no category groups and one setting a resource.
#disable-next-line use-recent-api-versions
resource hostLog 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (hostLogs) {
  name: 'host'
  scope: app
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'FunctionAppLogs'
        enabled: true
      }
    ]
  }
}

@description('Name of the function app.')
output appName string = app.name

@description('Its address.')
output url string = 'https://${app.properties.defaultHostName}'

@description('What the query API knows the workspace by.')
output customerId string = workspace.properties.customerId

@description('Where to send; no secret where local authentication is off.')
output connectionString string = component.properties.ConnectionString
