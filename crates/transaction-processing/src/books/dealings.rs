//! What agents and customers dealt on the current business day, in 32 octets a pair and kind: a busy day has a million of them.

use alloc::collections::BTreeMap;

use crate::decision::Dealings;
use crate::ids::AgentCode;
use crate::msisdn::Msisdn;
use crate::tariff::Priced;
use crate::time::Day;

/// The dealings of one business day; a later day begins with none.
#[derive(Default)]
pub(super) struct DaysDealings {
    day: Day,
    /// Sum and commission, minor units.
    held: BTreeMap<(Msisdn, AgentCode, Priced), (i64, i64)>,
}

impl DaysDealings {
    pub(super) fn put(&mut self, dealings: Dealings) {
        let Dealings { agent, customer, priced, day, sum, earned } = dealings;
        if day > self.day {
            self.day = day;
            self.held.clear();
        }
        if day == self.day {
            self.held.insert((customer, agent, priced), (sum, earned));
        }
    }

    pub(super) fn get(&self, agent: AgentCode, customer: Msisdn, priced: Priced) -> Option<Dealings> {
        let (sum, earned) = *self.held.get(&(customer, agent, priced))?;
        Some(Dealings { agent, customer, priced, day: self.day, sum, earned })
    }

    pub(super) fn all(&self) -> impl Iterator<Item = Dealings> {
        self.held.iter().map(|(&(customer, agent, priced), &(sum, earned))| Dealings {
            agent,
            customer,
            priced,
            day: self.day,
            sum,
            earned,
        })
    }
}
