//! "So many within so long", counted before what is counted happens, so that doing it in parallel gains nothing.
//!
//! An item holds the moments as a string set: adding one again (a repeat after a time-out) changes nothing, and the
//! condition is on the set's size. A moment that has left the window is taken out when it is in the way.
use std::collections::BTreeSet;

use super::{
    keys::Key,
    table::{Action, Store, number, set, set_of, text},
};
use crate::domain::{MINUTE, Millis, Refusal, System, Words};

/// The attribute with the moments of what was sent.
const SENT: &str = "sent";
/// The update of [`Window::counted`], where it is nothing else.
pub const ONE_MORE: &str = "SET expires_at = :end ADD sent :moments";

/// At most `most` within `span`.
pub struct Window {
    pub most: usize,
    pub span: Millis,
}

/// A moment as it is stored: 13 digits of milliseconds, 4 of chance, so that two of one millisecond count as two.
pub fn moment(system: &System) -> String {
    format!("{:013}{:04x}", system.now(), u16::from_le_bytes(system.random()))
}

fn millis(moment: &str) -> Millis {
    moment.get(..13).and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

impl Window {
    /// The condition under which one more may be added; `:moment`, `:most` are its values.
    pub fn condition(attribute: &str) -> String {
        format!("(attribute_not_exists({attribute}) OR size({attribute}) < :most OR contains({attribute}, :moment))")
    }

    /// One more is sent, by an update that says `ADD sent :moments` and `expires_at = :end`: the item is kept until none
    /// of its moments counts any more.
    pub fn counted(&self, key: &Key, update: &str, moment: &str, now: Millis) -> Action {
        Action::update(key.clone(), update)
            .when(Self::condition(SENT))
            .with(":moments", set(moment))
            .with(":moment", text(moment))
            .with(":most", number(self.most))
            .with(":end", number((now + self.span + MINUTE) / 1000))
    }

    /// Those of `moments` that no longer count.
    pub fn outdated(&self, moments: &BTreeSet<String>, now: Millis) -> BTreeSet<String> {
        moments.iter().filter(|moment| millis(moment) + self.span <= now).cloned().collect()
    }

    /// Those of `moments` up to `then`, and those after it.
    pub fn split(moments: &BTreeSet<String>, then: Millis) -> (BTreeSet<String>, BTreeSet<String>) {
        moments.iter().cloned().partition(|moment| millis(moment) <= then)
    }

    /// When the last of a full window was added, if all of it lies within one span.
    pub fn filled_at(&self, moments: &BTreeSet<String>) -> Option<Millis> {
        let last = millis(moments.last()?);
        let first = millis(moments.iter().rev().nth(self.most - 1)?);
        (last - first < self.span).then_some(last)
    }

    /// How long until there is room for one more.
    pub fn wait(&self, moments: &BTreeSet<String>, now: Millis) -> Millis {
        moments.first().map_or(0, |first| (millis(first) + self.span).saturating_sub(now))
    }
}

impl Store {
    /// Makes room in a window that is full of what was sent; 429 where all of it still counts, in words that say how long.
    pub(super) async fn make_room(
        &self,
        window: &Window,
        key: &Key,
        sent: &BTreeSet<String>,
        now: Millis,
        full: impl FnOnce(Millis) -> Words,
    ) -> Result<(), Refusal> {
        let outdated = window.outdated(sent, now);
        match outdated.is_empty() {
            true => Err(Refusal::TooMany(full(window.wait(sent, now)))),
            false => self.forget_moments(key, SENT, outdated).await,
        }
    }

    /// Takes moments out of a window that is full of outdated ones.
    pub(super) async fn forget_moments(
        &self,
        key: &Key,
        attribute: &str,
        moments: BTreeSet<String>,
    ) -> Result<(), Refusal> {
        if moments.is_empty() {
            // It was full when we looked, and is not outdated: somebody else's clock is far ahead of ours.
            return Err(Refusal::Unavailable);
        }
        let update = Action::update(key.clone(), format!("DELETE {attribute} :outdated"));
        self.change(update.with(":outdated", set_of(moments))).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE_IN_TEN: Window = Window { most: 3, span: 10 };

    fn moments<const N: usize>(at: [Millis; N]) -> BTreeSet<String> {
        at.iter().map(|at| format!("{at:013}beef")).collect()
    }

    #[test]
    fn a_moment_is_thirteen_digits_and_chance() {
        let moment = moment(&System::new(|| 1_700_000_000_000, |bytes| bytes.fill(0xab)));
        assert_eq!(moment, "1700000000000abab");
        assert_eq!(millis(&moment), 1_700_000_000_000);
    }

    #[test]
    fn moments_leave_after_their_span() {
        assert_eq!(THREE_IN_TEN.outdated(&moments([100, 105, 109]), 110), moments([100]));
        assert_eq!(THREE_IN_TEN.wait(&moments([100, 105, 109]), 103), 7);
    }

    #[test]
    fn old_moments_are_told_from_young_ones() {
        assert_eq!(Window::split(&moments([100, 105, 109]), 105), (moments([100, 105]), moments([109])));
    }

    #[test]
    fn full_is_only_what_lies_within_one_span() {
        assert_eq!(THREE_IN_TEN.filled_at(&moments([100, 105, 109])), Some(109));
        assert_eq!(THREE_IN_TEN.filled_at(&moments([100, 105, 110])), None);
        assert_eq!(THREE_IN_TEN.filled_at(&moments([100, 105])), None);
        assert_eq!(THREE_IN_TEN.filled_at(&moments([90, 100, 105, 109])), Some(109), "the last three");
        assert_eq!(THREE_IN_TEN.filled_at(&moments([])), None);
    }
}
