//! What operators bring in, by invoking this function directly: content, users, gifts, locks, takedowns.
//!
//! A record says how things are to be, so that the same one again changes nothing, and an import that broke off is
//! finished by its repeat. Records of one event may come in any order: what others need goes in first.
mod import;
mod record;

use std::{collections::HashMap, time::Duration};

use futures_util::{
    StreamExt as _,
    future::{BoxFuture, try_join_all},
    stream::FuturesUnordered,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::{
    App,
    domain::{Millis, Refusal},
    store::Imported,
};

pub use self::record::{KINDS, Record};

/// What is left of the time limit for the answer.
pub const RESERVE: Millis = 5 * 1000;
/// Records that are imported at once: what is looked up for all of them is one BatchGetItem.
const AT_ONCE: usize = 100;
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
    let mut steps = [const { vec![] }; record::STEPS];
    for (index, record) in event.records.into_iter().enumerate() {
        let typed = Record::of(record);
        outcomes.push(typed.as_ref().err().cloned().map(Err));
        if let Ok(record) = typed {
            steps[record.step()].push((index, record));
        }
    }
    let all = async {
        let mut done = 0;
        for records in steps {
            let mut records = records.into_iter();
            while records.len() > 0 {
                let mut groups: HashMap<String, Vec<(usize, Record)>> = HashMap::new();
                for (index, record) in records.by_ref().take(AT_ONCE) {
                    groups.entry(record.identity()).or_default().push((index, record));
                }
                let work = groups.into_values().map(|same| in_turn(app, same));
                let mut ended: FuturesUnordered<BoxFuture<Vec<Outcome>>> = work.collect();
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

/// Several records of one thing go one after the other: the last one stands. Whether all is so already is seen at once.
fn in_turn(app: &App, same: Vec<(usize, Record)>) -> BoxFuture<'_, Vec<Outcome>> {
    Box::pin(async move {
        if same.len() > 1 && all_are_so(app, &same).await.unwrap_or(false) {
            return same.into_iter().map(|(index, _)| (index, Ok(Imported::Unchanged))).collect();
        }
        let mut outcomes = vec![];
        for (index, record) in same {
            outcomes.push((index, record.import(app).await));
        }
        outcomes
    })
}

async fn all_are_so(app: &App, records: &[(usize, Record)]) -> Result<bool, Refusal> {
    let are_so = try_join_all(records.iter().map(|(_, record)| record.is_so(app))).await?;
    Ok(are_so.into_iter().all(|is_so| is_so))
}
