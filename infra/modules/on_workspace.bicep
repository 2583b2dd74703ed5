metadata description = 'Roles on a workspace, in whichever group it is.'

@description('Required. Its name.')
param workspaceName string

@description('Required. Who gets which role: who (id, type), role.')
param grants array

@description('Required. Ids of roles by name.')
param roles object

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName
}

resource granted 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for grant in grants: {
    name: guid(workspace.id, grant.who.id, roles[grant.role])
    scope: workspace
    properties: {
      principalId: grant.who.id
      principalType: grant.who.type
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles[grant.role])
    }
  }
]
