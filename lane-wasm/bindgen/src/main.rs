//! The generator of the JavaScript glue: `lane-wasm-bindgen IN.wasm OUT-FOLDER NAME`. The same as the command of
//! wasm-bindgen, but of the version that the lockfile names, which must be the crate's.

use std::{env, process::ExitCode};

use wasm_bindgen_cli_support::{Bindgen, EncodeInto};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [input, folder, name] = arguments.as_slice() else { return ExitCode::from(2) };
    let mut generator = Bindgen::new();
    let generated = generator.input_path(input).out_name(name).web(true).and_then(|generator| {
        // The `.wasm` file is found beside the glue by itself; after a crash the instance is replaced by a new one.
        // Texts are long here, and the platform's encoder is many times quicker than a loop over their characters.
        generator.encode_into(EncodeInto::Always);
        generator.typescript(false).omit_default_module_path(false).reset_state_function(true).generate(folder)
    });
    match generated {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "lane-wasm-bindgen: {error:#}");
            ExitCode::FAILURE
        }
    }
}
