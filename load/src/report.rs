//! What the trials found, as a table.
use std::{fmt, time::Duration};

use local::model::Seen;

use crate::world::{Answer, World};

#[derive(Default)]
pub struct Report(Vec<Row>);

struct Row {
    what: String,
    answers: Answers,
    /// In the model's seconds.
    seconds: f64,
    seen: Option<Seen>,
    notes: Vec<String>,
}

/// How many of something went, and how long they took.
#[derive(Default)]
pub struct Answers {
    pub took: Vec<Duration>,
    /// Those that were refused, by what was said.
    pub refused: Vec<String>,
    /// How much later than planned the machine began the latest of them.
    pub late: Duration,
}

impl Answers {
    pub fn add(&mut self, answer: &Answer) {
        self.took.push(answer.took);
        if answer.body["code"] != 0 {
            self.refused.push(format!("{}: {}", answer.status, answer.body["msg"]));
        }
    }

    pub fn done(&self) -> usize {
        self.took.len() - self.refused.len()
    }
}

/// A moment of a sorted many: the median, say, is at 0.5.
pub fn at(took: &mut [Duration], part: f64) -> Duration {
    took.sort();
    let last = took.len().saturating_sub(1);
    took.get((last as f64 * part).round() as usize).copied().unwrap_or_default()
}

impl Report {
    /// `seen`: of the whole trial, told once.
    pub fn add(
        &mut self,
        world: &World,
        what: String,
        answers: Answers,
        real: Duration,
        seen: bool,
        notes: Vec<String>,
    ) {
        let seen = seen.then(|| world.model.seen());
        let seconds = world.modelled(real).as_secs_f64();
        self.0.push(Row { what, answers, seconds, seen, notes });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| what | asked | refused | median | 99 % | longest | units written, read a second | met | throttled |"
        )?;
        writeln!(f, "|---|--:|--:|--:|--:|--:|--:|--:|--:|")?;
        for Row { what, answers, seconds, seen, .. } in &self.0 {
            let mut took = answers.took.clone();
            let [half, most, longest] = [0.5, 0.99, 1.0].map(|part| at(&mut took, part).as_millis());
            write!(
                f,
                "| {what} | {} | {} | {half} ms | {most} ms | {longest} ms |",
                took.len(),
                answers.refused.len()
            )?;
            match seen {
                Some(seen) => {
                    let [writes, reads] = [seen.write_units, seen.read_units].map(|units| units / seconds);
                    writeln!(f, " {writes:.0}, {reads:.0} | {} | {} |", seen.conflicts, seen.throttled)?;
                }
                None => writeln!(f, " | | |")?,
            }
        }
        for Row { what, answers, notes, .. } in &self.0 {
            for note in notes {
                writeln!(f, "\n- {what}: {note}")?;
            }
            if let Some(first) = answers.refused.first() {
                writeln!(f, "\n- {what}: refused with {first}")?;
            }
            // The machine's fault, not the model's.
            if answers.late > Duration::from_millis(100) {
                writeln!(f, "\n- {what}: the machine was {} ms late: try --slow", answers.late.as_millis())?;
            }
        }
        Ok(())
    }
}
