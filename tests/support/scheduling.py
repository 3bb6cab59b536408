# SPDX-License-Identifier: Apache-2.0
"""Which worker runs which tests, and when: the longest first, so that none is left over.

A file's tests stay together, because they share what they start; where they share nothing, each
is given out for itself.
"""

from typing import Any

from xdist.scheduler import LoadFileScheduling

ALONE = frozenset({"tests/faults/test_exchange_simulated.py"})
"""Files whose tests start nothing."""
SECONDS = {
    "tests/faults/test_hub_on_many_servers.py": 150,
    "tests/faults/test_kill_nine.py": 140,
    "tests/faults/test_partitions.py": 120,
    "tests/integration/processes/test_refusals.py": 120,
    "tests/faults/test_crash_at_each_statement.py": 110,
    "tests/functional/exchange/test_between_hubs.py": 100,
    "tests/functional/standing/test_disputes.py": 100,
    "tests/functional/standing/test_copies.py": 90,
    "tests/integration/federation/test_real_hubs.py": 90,
    "tests/faults/test_cluster_lost.py": 80,
    "tests/functional/matching/test_both_ways.py": 80,
    "tests/functional/matching/test_caps.py": 80,
    "tests/integration/federation/test_demo_federation.py": 80,
    "tests/functional/exchange/test_witnessed.py": 70,
    "tests/functional/matching/test_bands.py": 70,
    "tests/functional/matching/test_what_lookups_leave.py": 70,
    "tests/functional/standing/test_losses.py": 70,
    "tests/functional/test_schema.py": 70,
    "tests/integration/processes/test_alone.py": 70,
    "tests/functional/standing/test_corroboration.py": 60,
    "tests/integration/test_index_commands.py": 60,
    "tests/unit/pictures/test_altered_copies.py": 60,
    "tests/unit/pictures/test_videos.py": 60,
    "tests/functional/matching/test_videos.py": 50,
    "tests/hostile/test_contract.py": 50,
    "tests/integration/test_demo.py": 50,
    "tests/unit/client/test_with_a_hub.py": 50,
    "tests/faults/test_shelf_killed.py": 40,
    "tests/functional/access/test_keys.py": 40,
    "tests/functional/exchange/test_what_is_said.py": 40,
    "tests/integration/cli/test_import.py": 40,
    "tests/integration/cli/test_match.py": 40,
    "tests/integration/processes/test_real_hub.py": 40,
    "tests/faults/test_failover.py": 30,
    "tests/faults/test_valkey_lost.py": 30,
    "tests/functional/exchange/test_lives.py": 30,
    "tests/functional/history/test_everything_agrees.py": 30,
    "tests/hostile/test_vectors.py": 30,
    "tests/integration/processes/test_doctor.py": 30,
    "tests/integration/processes/test_redis_refusals.py": 30,
    "tests/functional/access/test_operators.py": 20,
    "tests/functional/exchange/test_bundles.py": 20,
    "tests/functional/exchange/test_forgetting.py": 20,
    "tests/functional/history/test_history.py": 20,
    "tests/functional/standing/test_backlog.py": 20,
    "tests/integration/cli/test_contribute.py": 20,
    "tests/integration/federation/test_log_verifiers.py": 20,
    "tests/integration/test_quickstart.py": 20,
    "tests/unit/client/test_replica.py": 20,
    "tests/unit/pictures/test_fence.py": 20,
}
"""What takes long, and about how long; what is not named here takes less than any of these."""


class LongestFirst(LoadFileScheduling):  # type: ignore[misc]  # xdist ships no types
    """Gives out whatever takes longest."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return nodeid if file in ALONE else file

    def _assign_work_unit(self, node: Any) -> None:
        longest = max(self.workqueue, key=lambda scope: SECONDS.get(scope, 0))
        self.workqueue.move_to_end(longest, last=False)
        super()._assign_work_unit(node)
