#!/bin/sh
# After `azd deploy`: let the app read its Key Vault references anew, print how to send the first event, run the doctor.
# Runs by hand too, with the environment of azd: set -a; . .azure/NAME/.env; set +a; sh infra/hooks/postdeploy.sh
set -eu
if command -v az >/dev/null; then
  site="/subscriptions/$AZURE_SUBSCRIPTION_ID/resourceGroups/$AZURE_RESOURCE_GROUP/providers/Microsoft.Web/sites/$AZURE_FUNCTION_NAME"
  az rest --method post --url "$site/config/configreferences/appsettings/refresh?api-version=2025-03-01" -o none
fi
cat <<TEXT

agentmeter answers at $AGENTMETER_URL
Its key:
  export AGENTMETER_KEY=\$(az functionapp keys list -g $AZURE_RESOURCE_GROUP -n $AZURE_FUNCTION_NAME --query functionKeys.default -o tsv)
The first event:
  curl -s "$AGENTMETER_URL/api/events" -H "x-functions-key: \$AGENTMETER_KEY" -H 'content-type: application/json' -d '{"specversion": "1.0", "id": "first", "source": "shell", "type": "error", "data": {"component": "shell", "error_type": "Test"}}'
Whether all of it works, now and later:
  set -a; . .azure/$AZURE_ENV_NAME/.env; set +a
  bin/ops doctor
TEXT
ops=$(dirname "$0")/../../bin/ops
if ! command -v az >/dev/null || [ ! -d "$(dirname "$ops")/../.venv" ]; then
  echo "The doctor was not run: it needs az (https://aka.ms/azcli), and the packages of \`make setup\`."
  exit 0
fi
if ! AGENTMETER_KEY=$(az functionapp keys list -g "$AZURE_RESOURCE_GROUP" -n "$AZURE_FUNCTION_NAME" --query functionKeys.default -o tsv); then
  echo "The app is deployed; the doctor was not run, for its key may not be read yet. Run the lines above." >&2
  exit 0
fi
export AGENTMETER_KEY
"${AGENTMETER_OPS:-$ops}" doctor || echo "The app is deployed; what the doctor found is above. Roles and first rows take up to ten minutes: run it again then." >&2
