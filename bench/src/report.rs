//! Figures → Markdown.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// Times the empty function's.
pub const COLD_TARGET: f64 = 3.0;
/// Bytes.
pub const ZIP_TARGET: u64 = 5_250_000;

/// What was measured of one function.
#[derive(Default)]
pub struct Figures {
    pub function: String,
    pub operation: String,
    /// Outcome → how often.
    pub outcomes: BTreeMap<String, usize>,
    /// Process start → ready for an event; one of each per cold start.
    pub init: Vec<Duration>,
    /// First event handed out → its answer.
    pub first: Vec<Duration>,
    /// One per warm request.
    pub warm: Vec<Duration>,
    pub cpu_per_request: Duration,
    /// Bytes.
    pub peak_memory: u64,
    /// Bytes.
    pub zip: u64,
}

impl Figures {
    fn cold(&self) -> Vec<Duration> {
        self.init.iter().zip(&self.first).map(|(init, first)| *init + *first).collect()
    }

    fn missed(&self, times_empty: f64) -> Vec<&'static str> {
        let mut missed = vec![];
        if times_empty > COLD_TARGET {
            missed.push("cold");
        }
        if self.zip > ZIP_TARGET {
            missed.push("zip");
        }
        missed
    }
}

/// The table, the empty function's row first, each other row beside it; and what missed its target.
pub fn table(rows: &[Figures]) -> (String, Vec<String>) {
    let mut text = String::from(
        "| function | request → answer | init, ms | first answer, ms | cold total, ms | × empty | warm, ms (p99) \
         | CPU per request, ms | peak memory, MB | zip, MB | target |\n|---|---|--:|--:|--:|--:|--:|--:|--:|--:|---|\n",
    );
    let mut misses = vec![];
    let empty = rows.first().map_or(Duration::ZERO, |row| quantile(&row.cold(), 0.5));
    for row in rows {
        let times_empty = quantile(&row.cold(), 0.5).as_secs_f64() / empty.as_secs_f64();
        let missed = row.missed(times_empty);
        misses.extend(missed.iter().map(|what| format!("{}: {what}", row.function)));
        let target = if missed.is_empty() { "✓".into() } else { format!("✗ {}", missed.join(", ")) };
        let _ = writeln!(
            text,
            "| {} | `{}` → {} | {} | {} | {} | {times_empty:.1} | {} ({}) | {} | {} | {} | {target} |",
            row.function,
            row.operation,
            outcomes(&row.outcomes),
            spread(&row.init),
            spread(&row.first),
            spread(&row.cold()),
            ms(quantile(&row.warm, 0.5)),
            ms(quantile(&row.warm, 0.99)),
            ms(row.cpu_per_request),
            mb(row.peak_memory),
            mb(row.zip),
        );
    }
    (text, misses)
}

/// What a reader must know to judge the table.
pub fn footer(starts: usize, requests: usize, cpu: &str) -> String {
    format!(
        "Medians (fastest–slowest) of {starts} starts of the release binary; {requests} warm requests, one after the \
         other, on one process. Cold total: process start to first answer. Target: cold total at most {COLD_TARGET} × \
         that of an empty `lambda_http` function, zip at most {} MB. {cpu}. Storage is the local runner's, over \
         loopback and without TLS: a real cold start adds one TLS handshake, and Lambda's own time to fetch the zip.",
        mb(ZIP_TARGET),
    )
}

fn outcomes(outcomes: &BTreeMap<String, usize>) -> String {
    match Vec::from_iter(outcomes).as_slice() {
        [(outcome, _)] => (*outcome).clone(),
        several => Vec::from_iter(several.iter().map(|(outcome, times)| format!("{outcome} (× {times})"))).join("; "),
    }
}

fn spread(times: &[Duration]) -> String {
    format!("{} ({}–{})", ms(quantile(times, 0.5)), ms(quantile(times, 0.0)), ms(quantile(times, 1.0)))
}

fn ms(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1e3)
}

fn mb(bytes: u64) -> String {
    format!("{:.2}", bytes as f64 / 1e6)
}

/// By nearest rank: a value that was measured, never one between two.
fn quantile(times: &[Duration], q: f64) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    let rank = (sorted.len() as f64 * q).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(times: impl IntoIterator<Item = u64>) -> Vec<Duration> {
        times.into_iter().map(Duration::from_millis).collect()
    }

    #[test]
    fn quantiles() {
        let times = millis((1..=200).rev());
        let at = |q| quantile(&times, q).as_millis();
        assert_eq!((at(0.0), at(0.5), at(0.99), at(1.0)), (1, 100, 198, 200));
        assert_eq!(quantile(&millis([7]), 0.99).as_millis(), 7);
    }

    #[test]
    fn a_missed_target_is_marked() {
        let row = |function: &str, first, zip| Figures {
            function: function.into(),
            operation: "run".into(),
            outcomes: BTreeMap::from([("200".into(), 3)]),
            init: millis([1, 1, 2]),
            first: millis(first),
            warm: millis([4]),
            zip,
            ..Figures::default()
        };
        let rows =
            [row("empty", [1, 1, 1], 1), row("good", [5, 5, 5], ZIP_TARGET), row("bad", [5, 6, 5], ZIP_TARGET + 1)];
        let (table, misses) = table(&rows);
        let lines: Vec<_> = table.lines().skip(2).collect();
        assert_eq!(
            lines[0],
            "| empty | `run` → 200 | 1.00 (1.00–2.00) | 1.00 (1.00–1.00) | 2.00 (2.00–3.00) | 1.0 | 4.00 (4.00) | 0.00 \
             | 0.00 | 0.00 | ✓ |"
        );
        assert!(lines[1].ends_with("| 3.0 | 4.00 (4.00) | 0.00 | 0.00 | 5.25 | ✓ |"), "{}", lines[1]);
        assert!(lines[2].ends_with("| ✗ cold, zip |"), "{}", lines[2]);
        assert_eq!(misses, ["bad: cold", "bad: zip"]);
    }
}
