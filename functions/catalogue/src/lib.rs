//! What operators bring in, by invoking this function directly: content, users, gifts, locks, takedowns.
//!
//! A record says how things are to be, so that the same one again changes nothing, and an import that broke off is
//! finished by its repeat. Records of one event may come in any order: what others need goes in first.
mod import;
mod record;

use std::{collections::HashMap, time::Duration};

use futures_util::{StreamExt as _, future::BoxFuture, stream};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::{
    App,
    domain::{Millis, Refusal},
    store::Imported,
};

pub use self::record::Record;

/// What is left of the time limit for the answer.
pub const RESERVE: Millis = 5 * 1000;
/// Records between two lines of progress in the log.
const PROGRESS: usize = 500;

#[derive(Deserialize)]
pub struct Event {
    records: Vec<Value>,
}

#[derive(Debug, Default, Serialize)]
pub struct Answer {
    /// New, or changed.
    pub imported: usize,
    pub unchanged: usize,
    /// By position; the others went in.
    pub refused: Vec<Refused>,
    /// The positions of those that there was no time for: a repeat of the event goes on with them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<usize>,
}

#[derive(Debug, Serialize)]
pub struct Refused {
    pub index: usize,
    /// The field, and what to mend.
    pub message: String,
}

/// How a record went, by its position.
type Outcome = (usize, Result<Imported, Refusal>);

/// Imports all that can be until shortly before `deadline`, when Lambda ends us.
pub async fn handle(app: &App, event: Event, deadline: Millis) -> Answer {
    let of = event.records.len();
    let mut outcomes: Vec<Option<Result<Imported, Refusal>>> = vec![];
    let mut steps: HashMap<usize, Step> = HashMap::new();
    for (index, record) in event.records.into_iter().enumerate() {
        let typed = Record::of(record);
        outcomes.push(typed.as_ref().err().cloned().map(Err));
        if let Ok(record) = typed {
            steps.entry(record.step()).or_default().add(index, record);
        }
    }
    let all = async {
        let mut done = 0;
        for (number, at_once) in record::STEPS.into_iter().enumerate() {
            let work = steps.remove(&number).unwrap_or_default().0.into_values();
            let work: Vec<BoxFuture<Vec<Outcome>>> = work.map(|same| in_turn(app, same)).collect();
            let mut ended = stream::iter(work).buffer_unordered(at_once);
            while let Some(some) = ended.next().await {
                for (index, outcome) in some {
                    outcomes[index] = Some(outcome);
                    done += 1;
                    if done % PROGRESS == 0 {
                        tracing::info!(done, of, "importing");
                    }
                }
            }
        }
    };
    // What is cut off half way, a repeat finds and finishes, as after a crash.
    let time = Duration::from_millis(deadline.saturating_sub(RESERVE).saturating_sub(app.system.now()));
    // Without any time nothing is begun: what is polled once may get through.
    let is_cut_off = match time.is_zero() {
        true => {
            drop(all);
            true
        }
        false => tokio::time::timeout(time, all).await.is_err(),
    };
    let mut answer = Answer::default();
    for (index, outcome) in outcomes.into_iter().enumerate() {
        match outcome {
            Some(Ok(Imported::Written)) => answer.imported += 1,
            Some(Ok(Imported::Unchanged)) => answer.unchanged += 1,
            Some(Err(no)) => answer.refused.push(Refused { index, message: no.to_string() }),
            None => answer.left.push(index),
        }
    }
    let Answer { imported, unchanged, .. } = answer;
    let (refused, left) = (answer.refused.len(), answer.left.len());
    tracing::info!(of, imported, unchanged, refused, left, is_cut_off, "imported");
    answer
}

/// Records that need none of each other, by what they are about, in the order of their coming.
#[derive(Default)]
struct Step(std::collections::BTreeMap<usize, Vec<(usize, Record)>>, HashMap<String, usize>);

impl Step {
    fn add(&mut self, index: usize, record: Record) {
        let first = *self.1.entry(record.identity()).or_insert(index);
        self.0.entry(first).or_default().push((index, record));
    }
}

/// Several records of one thing go one after the other: the last one stands.
fn in_turn(app: &App, same: Vec<(usize, Record)>) -> BoxFuture<'_, Vec<Outcome>> {
    Box::pin(async move {
        let mut outcomes = vec![];
        for (index, record) in same {
            outcomes.push((index, record.import(app).await));
        }
        outcomes
    })
}
