//! Sends the sample events through real `sam local invoke` and compares the answers with the expected ones.
use std::{
    env,
    process::{Command, ExitCode, Output},
    time::Instant,
};

use local::{BY_EVENT, Options, Plaza, containers, events, functions, sample, template::Template, write_private};
use serde_json::Value;
use shared::{function, outside::aws};

const HELP: &str = "\
Sends the sample events through `sam local invoke` and compares the answers with events/*/*.answer.json.

  cargo run -p local --bin sam_events                   all events
  cargo run -p local --bin sam_events -- account user   those of these functions
  cargo run -p local --bin sam_events -- --one-each     the first of each function

Needs `sam build` before, and Docker. Each event meets a freshly started Plaza on free ports; nothing of it is left.";

#[tokio::main]
async fn main() -> ExitCode {
    let (flags, chosen): (Vec<_>, Vec<_>) = env::args().skip(1).partition(|argument| argument.starts_with('-'));
    if flags.iter().any(|flag| flag != "--one-each") {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match run(!flags.is_empty(), &chosen).await {
        Ok(wrong) if wrong.is_empty() => ExitCode::SUCCESS,
        Ok(wrong) => {
            eprintln!("sam_events: not answered as expected: {}", wrong.join(", "));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("sam_events: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The events that were answered otherwise.
#[expect(clippy::disallowed_methods, reason = "how long each takes is for whoever watches")]
async fn run(one_each: bool, chosen: &[String]) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let template = Template::parse(include_str!("../../../template.yaml"))?;
    let mut known: Vec<(&str, Vec<String>)> = functions()
        .into_iter()
        .map(|(name, operations)| (name, operations.into_iter().map(|operation| operation.name).collect()))
        .collect();
    known.extend(BY_EVENT.map(|(name, event)| (name, vec![event.to_owned()])));
    if let Some(unknown) = chosen.iter().find(|chosen| !known.iter().any(|(name, _)| chosen == name)) {
        return Err(format!("there is no function {unknown}").into());
    }
    needs("sam", &["--version"], "install aws-sam-cli and put it on PATH")?;
    needs("docker", &["info"], "install Docker and start its daemon")?;
    let mut wrong = vec![];
    for (name, operations) in known.iter().filter(|(name, _)| chosen.is_empty() || chosen.iter().any(|c| c == name)) {
        let logical = template.functions().iter().find(|function| function.binary == *name);
        let logical = &logical.ok_or_else(|| format!("template.yaml has no function with `Binary: {name}`"))?.name;
        if !events::root().join(format!(".aws-sam/build/{logical}/bootstrap")).exists() {
            return Err(format!(".aws-sam/build/{logical} is missing: run `sam build`").into());
        }
        for operation in operations.iter().take(if one_each { 1 } else { usize::MAX }) {
            let event = format!("{name}/{operation}");
            let expected = events::load(&events::answer_path(name, operation))?;
            let from = Instant::now();
            let differences = match invoke(logical, name, operation).await? {
                Ok(answer) => events::differences(&expected, &answer),
                Err(complaint) => vec![complaint],
            };
            let verdict = if differences.is_empty() { "ok" } else { "WRONG" };
            println!("{verdict:5} {event} {:.1} s", from.elapsed().as_secs_f64());
            if !differences.is_empty() {
                println!("      {}", differences.join("\n      "));
                wrong.push(event);
            }
        }
    }
    Ok(wrong)
}

/// That a tool is there and works.
fn needs(tool: &str, arguments: &[&str], mend: &str) -> Result<(), String> {
    match Command::new(tool).args(arguments).output() {
        Ok(Output { status, .. }) if status.success() => Ok(()),
        Ok(Output { stderr, .. }) => {
            let stderr = String::from_utf8_lossy(&stderr);
            Err(format!("`{tool} {}`: {}; {mend}", arguments.join(" "), stderr.lines().last().unwrap_or("fails")))
        }
        Err(error) => Err(format!("`{tool}`: {error}; {mend}")),
    }
}

/// The function's answer, or how it failed to give one.
async fn invoke(
    logical: &str,
    function: &str,
    operation: &str,
) -> Result<Result<Value, String>, Box<dyn std::error::Error>> {
    let http = aws::http_client();
    let options =
        Options { data: None, engine_ports: None, system: function::system(), http: http.clone(), variables: vec![] };
    let plaza = Plaza::start(options, |_, _| ())?;
    sample::load(&plaza, http).await?;
    let folder = tempfile::tempdir()?;
    let variables = folder.path().join("functions.json");
    let way = containers::open(&plaza).await?;
    write_private(&variables, &way.environment.to_string())?;
    let mut sam = Command::new("sam");
    sam.args(["local", "invoke", logical, "--skip-pull-image", "--add-host", &way.add_host, "--event"])
        .arg(events::path(function, operation))
        .arg("--env-vars")
        .arg(variables)
        .env("SAM_CLI_TELEMETRY", "0")
        // SAM hands the caller's own credentials and region on to the function, whatever `--env-vars` says.
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_SESSION_TOKEN")
        .envs(plaza.environment.iter().filter(|(name, _)| name.starts_with("AWS_") && !name.contains("ENDPOINT")))
        .current_dir(events::root());
    // Its Plaza answers on other threads meanwhile.
    let output = tokio::task::spawn_blocking(move || sam.output()).await??;
    drop(way);
    plaza.engines.stop().await;
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let response = stdout.lines().rev().find_map(|line| serde_json::from_str::<Value>(line).ok());
    Ok(match response {
        // A function that failed says why.
        Some(response) if response["errorType"].is_null() => Ok(events::answer(&response)),
        _ => Err(format!("no answer:\n{stdout}\n{stderr}")),
    })
}
