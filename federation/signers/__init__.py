# SPDX-License-Identifier: Apache-2.0
"""Where private keys are kept, and how one becomes a ``federation.keys.Signer``."""
