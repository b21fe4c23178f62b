//! What a node gets of the run around it, and nothing else: the core, jobs, calls, instances and
//! the network. What other nodes keep is out of reach; they are sent messages.

mod branch;
pub(super) mod failing;
mod pause;
mod pool;
mod repeat;
mod reply;
mod spend;
mod stand_in;
mod work;

use super::calls::Calls;
use super::core::Core;
use super::fleet::Fleet;
use super::jobs::Jobs;
use super::network::Network;

/// The run around the nodes.
pub(super) struct Context<'p> {
    pub(super) core: Core<'p>,
    pub(super) jobs: Jobs,
    pub(super) calls: Calls,
    pub(super) fleet: Fleet,
    pub(super) network: Network,
}
