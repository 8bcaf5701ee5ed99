//! The command line.

use std::collections::BTreeMap;

pub const HELP: &str = "\
Measures the functions' release binaries and prints a Markdown table.

Usage: cargo run --release -p bench -- [options]

  --starts <n>                    cold starts of each function (default 20)
  --requests <n>                  warm requests to each function (default 200)
  --function <function>           this one alone; may be repeated
  --event <function>=<operation>  send events/<function>/<operation>.json; may be repeated
  --memory <MB>                   let each have no more CPU, once it is ready, than Lambda gives that memory; wants root
  --help                          this text";

#[derive(Debug, PartialEq)]
pub struct Args {
    pub starts: usize,
    pub requests: usize,
    /// All, if none is named.
    pub functions: Vec<String>,
    /// Function → operation.
    pub events: BTreeMap<String, String>,
    /// In MB. Without it a function may take all the CPU there is.
    pub memory: Option<usize>,
}

/// `None` when help was asked for.
pub fn parse(mut args: impl Iterator<Item = String>) -> Result<Option<Args>, String> {
    let mut parsed = Args { starts: 20, requests: 200, functions: vec![], events: BTreeMap::new(), memory: None };
    while let Some(option) = args.next() {
        let mut value = || args.next().ok_or(format!("{option} needs a value"));
        match option.as_str() {
            "--starts" => parsed.starts = positive(&option, &value()?)?,
            "--requests" => parsed.requests = positive(&option, &value()?)?,
            "--function" => parsed.functions.push(value()?),
            "--event" => {
                let value = value()?;
                let (function, operation) =
                    value.split_once('=').ok_or(format!("--event wants <function>=<operation>, not {value:?}"))?;
                parsed.events.insert(function.into(), operation.into());
            }
            "--memory" => parsed.memory = Some(positive(&option, &value()?)?),
            "--help" | "-h" => return Ok(None),
            _ => return Err(format!("unknown option {option:?}")),
        }
    }
    Ok(Some(parsed))
}

fn positive(option: &str, value: &str) -> Result<usize, String> {
    value.parse().ok().filter(|n| *n > 0).ok_or(format!("{option} wants a number from 1 on, not {value:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Option<Args>, String> {
        parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn options_are_read() {
        let args =
            parsed("--starts 3 --event user=user_info --function user --requests 7 --memory 256").unwrap().unwrap();
        let events = BTreeMap::from([("user".into(), "user_info".into())]);
        assert_eq!(args, Args { starts: 3, requests: 7, functions: vec!["user".into()], events, memory: Some(256) });
        assert_eq!(parsed("--starts 3 --help"), Ok(None));
    }

    #[test]
    fn complaints_name_the_option() {
        assert_eq!(parsed("--starts").unwrap_err(), "--starts needs a value");
        assert_eq!(parsed("--requests 0").unwrap_err(), "--requests wants a number from 1 on, not \"0\"");
        assert_eq!(parsed("--event user").unwrap_err(), "--event wants <function>=<operation>, not \"user\"");
        assert_eq!(parsed("--fast").unwrap_err(), "unknown option \"--fast\"");
    }
}
