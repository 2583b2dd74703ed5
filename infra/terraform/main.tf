# agentmeter by Terraform or OpenTofu: deploys the compiled Bicep, so that there is one description of the resources.
# Compile first: az bicep build --file infra/main.bicep --outfile infra/terraform/main.json
terraform {
  required_version = ">= 1.6"
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 4.0"
    }
  }
}

provider "azurerm" {
  features {}
}

variable "environment_name" {
  description = "Which deployment this is: dev, prod and so on; 2 to 16 letters, digits and hyphens."
  type        = string
}

variable "location" {
  description = "The region."
  type        = string
}

variable "parameters" {
  description = "Further parameters of infra/main.bicep, by name, such as { retentionDays = 30 }."
  type        = any
  default     = {}
}

variable "secrets" {
  description = "Values of secret settings, such as { PAGERDUTY_CRITICAL_KEY = \"...\" }. They end in the state file: protect it, or set them in the Key Vault."
  type        = map(string)
  default     = {}
  sensitive   = true
}

resource "azurerm_resource_group" "agentmeter" {
  name     = "rg-agentmeter-${var.environment_name}"
  location = var.location
}

locals {
  given = merge(var.parameters, { environmentName = var.environment_name, secrets = var.secrets })
}

resource "azurerm_resource_group_template_deployment" "agentmeter" {
  name                = "agentmeter"
  resource_group_name = azurerm_resource_group.agentmeter.name
  deployment_mode     = "Incremental"
  template_content    = file("${path.module}/main.json")
  parameters_content  = jsonencode({ for name, value in local.given : name => { value = value } })
}

locals {
  # Azure gives names back in another case: azurE_FUNCTION_NAME.
  outputs = { for name, output in jsondecode(azurerm_resource_group_template_deployment.agentmeter.output_content) : lower(name) => output.value }
}

output "function_name" {
  description = "The function app."
  value       = local.outputs.azure_function_name
}

output "url" {
  description = "Where agents send."
  value       = local.outputs.agentmeter_url
}
