metadata description = 'Roles on a component, in whichever group it is.'

@description('Required. Its name.')
param componentName string

@description('Required. Who gets which role: who (id, type), role.')
param grants array

@description('Required. Ids of roles by name.')
param roles object

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

resource granted 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for grant in grants: {
    name: guid(component.id, grant.who.id, roles[grant.role])
    scope: component
    properties: {
      principalId: grant.who.id
      principalType: grant.who.type
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles[grant.role])
    }
  }
]
