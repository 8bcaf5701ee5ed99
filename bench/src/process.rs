//! Child processes that do not outlive the benchmark, and what the kernel knows of them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};

use crate::{Error, Result};

static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// From now on Ctrl-C ends the benchmark by way of an error, so that every owner can clean up.
pub fn catch_interrupts() -> Result<()> {
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, INTERRUPTED.clone())?;
    }
    Ok(())
}

pub fn check_interrupted() -> Result<()> {
    if INTERRUPTED.load(Ordering::Relaxed) { Err("interrupted".into()) } else { Ok(()) }
}

pub struct Process {
    pub name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a command that writes all its output to `<folder>/<name>.log`.
    pub fn spawn(name: &str, command: &mut Command, folder: &Path) -> Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let output = File::create(&log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .map_err(|e| format!("cannot start {name}: {e}"))?;
        Ok(Self { name: name.into(), child, log })
    }

    /// An error if the process has ended or the benchmark was interrupted.
    pub fn check(&mut self) -> Result<()> {
        check_interrupted()?;
        match self.child.try_wait()? {
            Some(status) => Err(self.complaint(&format!("ended ({status})"))),
            None => Ok(()),
        }
    }

    /// `<name> <what>`, and the end of its log.
    pub fn complaint(&self, what: &str) -> Error {
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<_> = log.lines().collect();
        let end = lines[lines.len().saturating_sub(20)..].join("\n  ");
        format!("{} {what}\n  {end}", self.name).trim_end().into()
    }

    /// User and system time of all living threads, exact while they sleep. (`/proc/<pid>/stat` counts in steps of
    /// 10 ms, as much as dozens of requests.)
    pub fn cpu(&self) -> Result<Duration> {
        let mut nanoseconds = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let schedstat = fs::read_to_string(thread?.path().join("schedstat"))?;
            nanoseconds += schedstat.split(' ').next().unwrap_or_default().parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// Bytes: the most that was resident at any time.
    pub fn peak_memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB"));
        Ok(peak.ok_or("no VmHWM in /proc/<pid>/status")?.trim().parse::<u64>()? * 1024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A control group whose processes have as much CPU as Lambda gives a function of some memory; gone when dropped.
pub struct CpuShare(PathBuf);

impl CpuShare {
    /// Lambda gives a whole CPU at 1,769 MB, less in proportion.
    const WHOLE: usize = 1769;
    /// Microseconds after which a share is had anew: Lambda's, as measured from within by others.
    const PERIOD: usize = 20_000;

    /// The share that a function of `memory` MB has.
    pub fn of(memory: usize) -> Result<Self> {
        // Version 1 of control groups has a folder for each kind, version 2 one for all.
        let first = Path::new("/sys/fs/cgroup/cpu");
        let root = if first.exists() { first } else { Path::new("/sys/fs/cgroup") };
        let group = Self(root.join(format!("plaza-bench-{}", std::process::id())));
        let (period, quota) = (Self::PERIOD, Self::PERIOD * memory / Self::WHOLE);
        let set = |file: &str, value: String| {
            let path = group.0.join(file);
            fs::write(&path, value).map_err(|e| format!("{}: {e}; --memory wants root", path.display()))
        };
        fs::create_dir(&group.0).map_err(|e| format!("{}: {e}; --memory wants root", group.0.display()))?;
        if root == first {
            set("cpu.cfs_period_us", period.to_string())?;
            set("cpu.cfs_quota_us", quota.to_string())?;
        } else {
            set("cpu.max", format!("{quota} {period}"))?;
        }
        Ok(group)
    }

    /// Puts the process into it, with all its threads.
    pub fn holds(&self, process: &Process) -> Result<()> {
        Ok(fs::write(self.0.join("cgroup.procs"), process.child.id().to_string())?)
    }
}

impl Drop for CpuShare {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells_time_and_memory() {
        let folder = std::env::temp_dir().join(format!("plaza-bench-test-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let script = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo done; sleep 60";
        let mut shell = Process::spawn("sh", Command::new("sh").args(["-c", script]), &folder).unwrap();
        while fs::read_to_string(&shell.log).unwrap().is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(shell.check().is_ok());
        assert!((1..5000).contains(&shell.cpu().unwrap().as_millis()));
        assert!((100_000..100_000_000).contains(&shell.peak_memory().unwrap()));

        shell.child.kill().unwrap();
        shell.child.wait().unwrap();
        assert_eq!(shell.check().unwrap_err().to_string(), "sh ended (signal: 9 (SIGKILL))\n  done");
        fs::remove_dir_all(folder).unwrap();
    }
}
