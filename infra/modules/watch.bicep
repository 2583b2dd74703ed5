metadata description = 'Azure\'s own alerts about agentmeter, for when it cannot speak for itself.'

@description('Required. What the names of all resources have in common.')
param stem string

@description('Required. The region.')
param location string

@description('Required. Tags.')
param tags object

@description('Required. Resource id of the workspace that is watched.')
param workspaceId string

@description('Required. E-mail addresses to tell; none: the alerts are in the portal alone.')
param emails array

@description('Required. Web hook to tell; empty for none.')
@secure()
param webhookUri string

@description('Optional. When this was deployed: for half an hour after it, silence is no fault. Left alone.')
param deployedAt string = utcNow('yyyy-MM-ddTHH:mm:ssZ')

// Azure counts the rows of each answer; docs/watch.md has a section for every name.
var rules = [
  {
    name: 'silent'
    description: 'No tick of agentmeter ended in the last five minutes: no page would go out.'
    severity: 0
    window: 'PT5M'
    operator: 'LessThan'
    threshold: 1
    query: replace(loadTextContent('../kql/watch/silent.kql'), '2000-01-01', deployedAt)
  }
  {
    name: 'failing'
    description: 'Over ten invocations of agentmeter failed in five minutes: requests answered with 500 or more, messages, or ticks.'
    severity: 1
    window: 'PT5M'
    operator: 'GreaterThan'
    threshold: 10
    query: loadTextContent('../kql/watch/failing.kql')
  }
  {
    name: 'poison'
    description: 'The host gave up a message of the queue usage-events and put it into usage-events-poison.'
    severity: 2
    window: 'PT15M'
    operator: 'GreaterThan'
    threshold: 0
    query: loadTextContent('../kql/watch/poison.kql')
  }
  {
    name: 'refused'
    description: 'Azure Monitor refused events for good; they are in the queue usage-events-poison.'
    severity: 2
    window: 'PT15M'
    operator: 'GreaterThan'
    threshold: 0
    query: loadTextContent('../kql/watch/refused.kql')
  }
  {
    name: 'capped'
    description: 'The workspace has reached its daily cap and drops what comes: rules are blind until tomorrow.'
    severity: 1
    window: 'PT15M'
    operator: 'GreaterThan'
    threshold: 0
    query: loadTextContent('../kql/watch/capped.kql')
  }
]

var webhooks = [
  {
    name: 'webhook'
    serviceUri: webhookUri
    useCommonAlertSchema: true
  }
]

var someone = !empty(emails) || !empty(webhookUri)

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = if (someone) {
  name: 'ag-${stem}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'agentmeter'
    emailReceivers: [
      for (email, i) in emails: {
        name: 'email${i}'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
    webhookReceivers: empty(webhookUri) ? [] : webhooks
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for rule in rules: {
    name: '${stem}-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: '${stem} ${rule.name}'
      description: rule.description
      severity: rule.severity
      enabled: true
      scopes: [
        workspaceId
      ]
      evaluationFrequency: rule.window
      windowSize: rule.window
      // A new workspace has no such table yet.
      skipQueryValidation: true
      autoMitigate: true
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: rule.operator
            threshold: rule.threshold
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: someone ? [people.id] : []
      }
    }
  }
]
