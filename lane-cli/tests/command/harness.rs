//! Running the command and comparing what it prints.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use serde_json::Value;

/// What a run printed and how it ended.
pub(crate) struct Run {
    pub(crate) line: String,
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) code: i32,
}

/// The repository's root, where every run starts, so that goldens show short paths.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The command, without colours and without a say of the surroundings.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lane"));
    command.args(arguments).current_dir(root()).env("NO_COLOR", "1").env_remove("CLICOLOR_FORCE").env("COLUMNS", "100");
    command
}

/// Runs the command.
pub(crate) fn lane(arguments: &[&str]) -> Run {
    fed(arguments, b"")
}

/// Runs the command with this standard input.
pub(crate) fn fed(arguments: &[&str], input: &[u8]) -> Run {
    let mut child = command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // On a thread of its own, because the command may answer before it has read everything; and it may stop reading.
    let feeder = thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    Run {
        line: arguments.iter().map(|argument| quoted(argument)).collect::<Vec<_>>().join(" "),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code().unwrap(),
    }
}

/// An argument as one writes it in a shell.
fn quoted(argument: &str) -> String {
    if argument.contains([' ', '*', '"', '?', '&']) { format!("'{argument}'") } else { argument.into() }
}

impl Run {
    /// The run ended with this exit code.
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "lane {}\n{}{}", self.line, self.out, self.err);
        self
    }

    /// The run printed nothing on standard error.
    pub(crate) fn quiet(self) -> Self {
        assert_eq!(self.err, "", "lane {}", self.line);
        self
    }

    /// Standard error holds this.
    pub(crate) fn complains(self, about: &str) -> Self {
        assert!(self.err.contains(about), "lane {}: {about:?} is not in\n{}", self.line, self.err);
        self
    }

    /// Standard output, as JSON values one a line.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
    }

    /// The whole run is what the golden of this name shows.
    pub(crate) fn golden(&self, name: &str) {
        let Self { line, out, err, code } = self;
        let mut shown = format!("$ lane {line}\n{out}");
        if !err.is_empty() {
            shown += &format!("--- standard error\n{err}");
        }
        shown += &format!("--- exit code {code}\n");
        compare(name, &shown);
    }
}

/// Compares with a golden, or rewrites it.
pub(crate) fn compare(name: &str, shown: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name).with_extension("txt");
    if std::env::var_os("LANE_UPDATE").is_some() {
        fs::write(path, shown).unwrap();
        return;
    }
    let golden = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}; LANE_UPDATE=1 writes it", path.display()));
    assert!(golden == shown, "{name} has changed; LANE_UPDATE=1 rewrites it\n--- golden\n{golden}\n--- now\n{shown}");
}
