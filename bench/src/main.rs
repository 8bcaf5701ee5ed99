//! `cargo run --release -p bench`: the functions' release binaries, started and called as Lambda does, beside an empty
//! function. Progress goes to stderr, the table to stdout.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock: that is its job")]

mod args;
mod build;
mod event;
mod local;
mod process;
mod report;
mod runtime_api;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use args::Args;
use event::Event;
use process::{CpuShare, Process};
use report::Figures;
use runtime_api::{Ready, RuntimeApi};

type Error = Box<dyn std::error::Error>;
type Result<T> = std::result::Result<T, Error>;

/// Requests to a fresh process before the warm ones count.
const WARM_UP: usize = 10;

fn main() -> ExitCode {
    let args = match args::parse(env::args().skip(1)) {
        Ok(Some(args)) => args,
        Ok(None) => {
            println!("{}", args::HELP);
            return ExitCode::SUCCESS;
        }
        Err(complaint) => {
            eprintln!("bench: {complaint}\n\n{}", args::HELP);
            return ExitCode::from(2);
        }
    };
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A function to be measured.
struct Function {
    binary: PathBuf,
    event: Event,
    environment: Vec<(String, String)>,
    figures: Figures,
}

fn run(args: &Args) -> Result<()> {
    process::catch_interrupts()?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let mut names = functions(&root)?;
    if let Some(unknown) = args.events.keys().chain(&args.functions).find(|name| !names.contains(name)) {
        return Err(format!("no function {unknown:?}; there are {}", names.join(", ")).into());
    }
    names.retain(|name| args.functions.is_empty() || args.functions.contains(name));
    let mut events = vec![Event::empty()];
    for name in &names {
        events.push(Event::load(&root.join("events").join(name), name, args.events.get(name).map(String::as_str))?);
    }

    let runner = build::release(&root, "local", "local")?;
    let mut binaries = vec![build::release(&root, "bench", "empty")?];
    for name in &names {
        binaries.push(build::release(&root, name, name)?);
    }

    let folder = Folder::create()?;
    let storage = local::start(&runner, &folder.0)?;
    let mut functions: Vec<Function> = Vec::new();
    for (binary, event) in binaries.into_iter().zip(events) {
        let function = binary.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let zip = build::zip_size(&binary)?;
        let figures = Figures { function, operation: event.operation.clone(), zip, ..Figures::default() };
        functions.push(Function { binary, event, environment: storage.environment.clone(), figures });
    }

    let share = args.memory.map(CpuShare::of).transpose()?;
    let mut bench = Bench { api: RuntimeApi::start()?, folder: &folder.0, share, requests: 0 };
    eprintln!("bench: {} starts of each of {} functions", args.starts, functions.len());
    // In turns, so that a busy moment of the machine does not fall on one function alone. Turn 0 fills the page cache.
    for turn in 0..=args.starts {
        for function in &mut functions {
            bench.cold(function, turn > 0)?;
        }
    }
    for function in &mut functions {
        eprintln!("bench: {} warm requests to {}", args.requests, function.figures.function);
        bench.warm(function, args.requests)?;
    }

    let rows: Vec<_> = functions.into_iter().map(|function| function.figures).collect();
    for row in
        rows.iter().filter(|row| row.outcomes.len() != 1 || row.outcomes.keys().any(|said| said.starts_with('4')))
    {
        eprintln!("bench: look at {}: not every request succeeded: {:?}", row.function, row.outcomes);
    }
    let (table, misses) = report::table(&rows);
    println!("{table}\n{}", report::footer(args.starts, args.requests, &machine()));
    for miss in misses {
        eprintln!("bench: target missed by {miss}");
    }
    Ok(())
}

struct Bench<'a> {
    api: RuntimeApi,
    /// For logs.
    folder: &'a Path,
    share: Option<CpuShare>,
    /// Sent so far, to all functions.
    requests: usize,
}

impl Bench<'_> {
    /// One start and one answer.
    fn cold(&mut self, function: &mut Function, counts: bool) -> Result<()> {
        let spawned = Instant::now();
        let mut process = self.spawn(function)?;
        let (at, ready) = self.started(&mut process)?;
        let (first, _) = self.request(function, &mut process, ready)?;
        if counts {
            function.figures.init.push(at - spawned);
            function.figures.first.push(first);
        }
        Ok(())
    }

    fn warm(&mut self, function: &mut Function, requests: usize) -> Result<()> {
        let mut process = self.spawn(function)?;
        let (_, mut ready) = self.started(&mut process)?;
        for _ in 0..WARM_UP {
            (_, ready) = self.request(function, &mut process, ready)?;
        }
        let before = process.cpu()?;
        for _ in 0..requests {
            let latency;
            (latency, ready) = self.request(function, &mut process, ready)?;
            function.figures.warm.push(latency);
        }
        function.figures.cpu_per_request = process.cpu()?.saturating_sub(before) / u32::try_from(requests)?;
        function.figures.peak_memory = process.peak_memory()?;
        Ok(())
    }

    /// Waits until the process is ready. From then on it has its share of CPU: Lambda gives more while it starts.
    fn started(&self, process: &mut Process) -> Result<(Instant, Ready)> {
        let started = self.api.started(process)?;
        if let Some(share) = &self.share {
            share.holds(process)?;
        }
        Ok(started)
    }

    fn request(&mut self, function: &mut Function, process: &mut Process, ready: Ready) -> Result<(Duration, Ready)> {
        process::check_interrupted()?;
        self.requests += 1;
        let event = function.event.text(self.requests);
        let answered = self.api.invoke(process, ready, &event)?;
        let outcome = event::outcome(&answered.answer).map_err(|e| process.complaint(&e.to_string()))?;
        *function.figures.outcomes.entry(outcome).or_default() += 1;
        Ok((answered.latency, answered.ready))
    }

    /// Starts the binary with what Lambda gives it and nothing of this shell's environment.
    fn spawn(&self, function: &Function) -> Result<Process> {
        let name = &function.figures.function;
        let api = self.api.address.to_string();
        let lambda = [
            ("AWS_LAMBDA_RUNTIME_API", api.as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", name),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("_HANDLER", "bootstrap"),
            ("LANG", "en_US.UTF-8"),
            ("TZ", ":UTC"),
        ];
        let mut command = Command::new(&function.binary);
        command.env_clear().envs(lambda).envs(function.environment.iter().cloned());
        Process::spawn(name, &mut command, self.folder)
    }
}

/// The folders under `functions/`; package and binary bear the same name.
fn functions(root: &Path) -> Result<Vec<String>> {
    let mut names = vec![];
    for entry in fs::read_dir(root.join("functions"))? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").exists() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("Machine: {cores} × {}", model.map_or(env::consts::ARCH, |(_, model)| model))
}

/// A temporary folder, gone when dropped.
struct Folder(PathBuf);

impl Folder {
    fn create() -> Result<Self> {
        let path = env::temp_dir().join(format!("plaza-bench-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
