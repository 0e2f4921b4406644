//! The engine for browsers and Node: a border of strings. Requests, decisions and problems cross it as JSON; the
//! JavaScript beside it (`js/`) makes objects and errors of them, and is what people import.
//!
//! Nothing here decides anything. What can be tested without a browser is in the rooms below, which know no
//! JavaScript; this file only exports them.

mod compiled;
mod describe;
mod failure;
#[cfg(feature = "mesh")]
mod mesh;
mod options;
mod places;
mod simulate;
mod suite;

use wasm_bindgen::prelude::*;

use compiled::Compiled;
use failure::Failure;

/// Called when the instance starts, and again when it is replaced.
#[wasm_bindgen(start)]
fn start() {
    // There must be no panic. Should there be one, the instance is lost; what it said is thrown as an `Error`, which
    // the wrapper tells from the texts that failures are thrown as, and it starts another instance.
    std::panic::set_hook(Box::new(|info| wasm_bindgen::throw_str(&info.to_string())));
}

/// A compiled configuration.
#[wasm_bindgen]
pub struct Handle(Compiled);

#[wasm_bindgen]
impl Handle {
    /// Compiles a text; `options` is JSON.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the text.
    #[wasm_bindgen(constructor)]
    pub fn new(text: &str, options: &str) -> Result<Handle, JsValue> {
        Ok(Self(Compiled::new(text, &options::read(options)?)?))
    }

    /// The warnings, as JSON.
    ///
    /// # Errors
    ///
    /// None that is known.
    pub fn warnings(&self) -> Result<String, JsValue> {
        Ok(failure::json(self.0.warnings())?)
    }

    /// What is answered to a request, which must be `of` this kind: `ingress`, `hop`, `inbound`, or any where it is empty.
    ///
    /// # Errors
    ///
    /// The request cannot be read, or be asked of this router.
    pub fn answer(&self, request: &str, of: &str) -> Result<String, JsValue> {
        Ok(self.0.answer(request, of)?)
    }

    /// A decision and how it came about.
    ///
    /// # Errors
    ///
    /// As [`answer`](Self::answer).
    pub fn explain(&self, request: &str) -> Result<String, JsValue> {
        Ok(self.0.explain(request)?)
    }

    /// A request's way through the chain; `services` is a JSON list, or empty for those of the deciding group.
    ///
    /// # Errors
    ///
    /// As [`answer`](Self::answer).
    pub fn trace(&self, request: &str, services: &str, explain: bool) -> Result<String, JsValue> {
        Ok(self.0.trace(request, services, explain)?)
    }

    /// The lane table of a group with a request's endpoint counts; an empty name is the only group.
    ///
    /// # Errors
    ///
    /// There is no such group, or the request cannot be asked of this router.
    pub fn table(&self, group: &str, request: &str) -> Result<String, JsValue> {
        Ok(self.0.table(group, request)?)
    }

    /// Tries a split with clients: those of the JSON list `keys`, or, where it is empty, `number` of them that begin with `prefix`.
    ///
    /// # Errors
    ///
    /// There is no such rule, or it has no split.
    pub fn simulate(&self, rule: &str, keys: &str, number: u32, prefix: &str, each: bool) -> Result<String, JsValue> {
        Ok(simulate::simulate(&self.0.config, rule, keys, number, prefix, each)?)
    }

    /// How a sticky split draws the client of this key.
    ///
    /// # Errors
    ///
    /// There is no such rule, or its split is not sticky.
    pub fn draw(&self, rule: &str, key: &str) -> Result<String, JsValue> {
        Ok(simulate::draw(&self.0.config, rule, key)?)
    }

    /// What the configuration means; with the text that was compiled also where it says so.
    ///
    /// # Errors
    ///
    /// None that a caller could cause.
    pub fn describe(&self, text: Option<String>) -> Result<String, JsValue> {
        Ok(self.0.describe(text.as_deref())?)
    }

    /// Where the field at a path, which is a JSON list, stands in the text that was compiled.
    ///
    /// # Errors
    ///
    /// The path is no list of names and numbers.
    pub fn locate(&self, text: &str, path: &str) -> Result<String, JsValue> {
        Ok(self.0.locate(text, path)?)
    }

    /// What the router costs.
    ///
    /// # Errors
    ///
    /// None that is known.
    pub fn stats(&self) -> Result<String, JsValue> {
        Ok(failure::json(&self.0.router.stats())?)
    }

    /// Runs a test file, of this router unless the file holds a configuration.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the file.
    pub fn test(&self, text: &str, options: &str) -> Result<String, JsValue> {
        Ok(suite::run(text, &options::read(options)?, Some(&self.0))?)
    }
}

#[cfg(feature = "full")]
#[wasm_bindgen]
impl Handle {
    /// The configuration as JSON.
    ///
    /// # Errors
    ///
    /// None that is known.
    pub fn config(&self) -> Result<String, JsValue> {
        Ok(failure::json(&self.0.config)?)
    }
}

/// Every problem of a configuration, as JSON.
///
/// # Errors
///
/// The options cannot be read.
#[wasm_bindgen]
pub fn check(text: &str, options: &str) -> Result<String, JsValue> {
    Ok(compiled::check(text, &options::read(options)?)?)
}

/// Runs a test file that holds its configuration.
///
/// # Errors
///
/// Everything that is wrong with the file.
#[wasm_bindgen]
pub fn test(text: &str, options: &str) -> Result<String, JsValue> {
    Ok(suite::run(text, &options::read(options)?, None)?)
}

/// A configuration as documents of a mesh; `located` says whether the text is what people wrote.
///
/// # Errors
///
/// Everything that is wrong with the text.
#[cfg(feature = "mesh")]
#[wasm_bindgen]
pub fn export_mesh(text: &str, options: &str, located: bool, mesh: &str) -> Result<String, JsValue> {
    Ok(mesh::export(text, &options::read(options)?, located, mesh)?)
}

/// Resources of a mesh, a JSON list of files, as a configuration.
///
/// # Errors
///
/// The format is not known.
#[cfg(feature = "mesh")]
#[wasm_bindgen]
pub fn import_mesh(files: &str, mesh: &str) -> Result<String, JsValue> {
    Ok(mesh::import(files, mesh)?)
}

/// The JSON Schema of a configuration.
#[must_use]
#[wasm_bindgen]
pub fn schema() -> String {
    lane_formats::schema::json_schema().into()
}

/// The release.
#[must_use]
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").into()
}

impl From<Failure> for JsValue {
    fn from(failure: Failure) -> Self {
        Self::from_str(&failure.to_json())
    }
}
