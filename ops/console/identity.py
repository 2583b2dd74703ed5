"""Who an operator is to Azure: the account that `az login` signed in, or the identity of a
pipeline.
"""

import logging

from azure.core.credentials import TokenCredential
from azure.identity import DefaultAzureCredential

from shared.adapters.azure.identity import Identity
from shared.clouds import cloud_of
from shared.settings import operator_environment


def signed_in(client_id: str) -> TokenCredential:
    """Return the credential of the operator.

    client_id: of a managed identity, where it is one that works.
    """
    # It would list on stderr every way that it has tried; our errors say what to do.
    logging.getLogger("azure.identity").setLevel(logging.ERROR)
    login = cloud_of(operator_environment()).login
    return DefaultAzureCredential(authority=login, managed_identity_client_id=client_id or None)


OPERATOR = Identity(
    make=signed_in,
    who="your account",
    remedy="Sign in with `az login`; `az account show` says who you are.",
)
