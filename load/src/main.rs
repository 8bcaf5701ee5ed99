//! `cargo run --release -p load`: crowds and stars in a model of DynamoDB's limits (`local/src/model.rs`), on loopback
//! alone. Progress goes to stderr, the table to stdout.

#![expect(clippy::disallowed_methods, reason = "it measures: reading the clock is its job")]

mod report;
mod trials;
mod world;

use std::{env, process::ExitCode};

use report::Report;
use world::World;

const HELP: &str = "\
Puts load on the functions, in a model of DynamoDB's limits, and prints a Markdown table.

Usage: cargo run --release -p load -- [trials] [options]

  follows          many follow one user, who goes on publishing
  likes            many like one article
  star             one whom very many follow publishes beside others
  feeds            many publish, for feeds that are read

  --seconds <n>    how long each trial goes on (default 30)
  --rate <n>       follows, likes and half as many publications a second (default 200)
  --followers <n>  whom `star` has (default 1000000)
  --writes <n>     units that the table takes a second (default 4000, a new one's)
  --slow <n>       the whole world so many times slower, for a machine that cannot keep up (default 1)
  --help           this text";

/// What was asked for, in the model's seconds.
pub struct Args {
    trials: Vec<String>,
    seconds: u64,
    rate: u64,
    followers: u64,
    writes: u32,
    slow: u32,
}

const TRIALS: [&str; 4] = ["follows", "likes", "star", "feeds"];

/// `None` where help was asked for.
fn parse(mut args: impl Iterator<Item = String>) -> Result<Option<Args>, String> {
    let mut parsed = Args { trials: vec![], seconds: 30, rate: 200, followers: 1_000_000, writes: 4_000, slow: 1 };
    while let Some(arg) = args.next() {
        let mut number = || {
            let value = args.next().unwrap_or_default();
            let number = value.parse::<u32>().ok().filter(|number| *number > 0);
            number.ok_or(format!("{arg} wants a number from 1 on, not {value:?}"))
        };
        match arg.as_str() {
            "--seconds" => parsed.seconds = number()?.into(),
            "--rate" => parsed.rate = number()?.into(),
            "--followers" => parsed.followers = number()?.into(),
            "--writes" => parsed.writes = number()?,
            "--slow" => parsed.slow = number()?,
            "--help" | "-h" => return Ok(None),
            trial if TRIALS.contains(&trial) => parsed.trials.push(arg),
            _ => return Err(format!("there is no {arg:?}")),
        }
    }
    if parsed.trials.is_empty() {
        parsed.trials = TRIALS.map(str::to_owned).into();
    }
    Ok(Some(parsed))
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = match parse(env::args().skip(1)) {
        Ok(Some(args)) => args,
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(complaint) => {
            eprintln!("load: {complaint}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .with_writer(std::io::stderr)
        .init();
    let mut report = Report::default();
    for trial in &args.trials {
        eprintln!("load: {trial}");
        // Each in a world of its own.
        let world = World::new(&args);
        let done = match trial.as_str() {
            "follows" => trials::follows(&world, &args, &mut report).await,
            "likes" => trials::likes(&world, &args, &mut report).await,
            "star" => trials::star(&world, &args, &mut report).await,
            _ => trials::feeds(&world, &args, &mut report).await,
        };
        world.stop().await;
        if let Err(problem) = done {
            eprintln!("load: {trial}: {problem}");
            return ExitCode::FAILURE;
        }
    }
    println!("{report}");
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read() {
        let parsed = |line: &str| parse(line.split_whitespace().map(String::from));
        let args = parsed("likes --seconds 3 --slow 4 star").unwrap().unwrap();
        assert_eq!((args.trials, args.seconds, args.slow), (vec!["likes".to_owned(), "star".to_owned()], 3, 4));
        assert_eq!(parsed("").unwrap().unwrap().trials, TRIALS);
        assert!(parsed("--help").unwrap().is_none());
        assert_eq!(parsed("--rate 0").err().unwrap(), "--rate wants a number from 1 on, not \"0\"");
        assert_eq!(parsed("dance").err().unwrap(), "there is no \"dance\"");
    }
}
