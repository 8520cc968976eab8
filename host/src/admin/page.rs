//! The dashboard: one page that looks at the node by `/v1`, as any other client does.
//!
//! It is served to whoever asks, since it says nothing of the node. What it shows takes the roles that `/v1` takes. Everything that it
//! loads is in the program, and it can reach nothing but the node.

use axum::response::{IntoResponse as _, Response};
use hyper::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};

use super::problem::{Kind, Problem};
use super::segment::Segment;

/// What the page may do: load what is here, and ask the node. Scripts make no HTML from text, so no name of an actor can become code.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

macro_rules! part {
    ($name:literal, $media:expr) => {
        ($name, $media, include_str!(concat!("page/", $name)))
    };
}

const INDEX: (&str, &str, &str) = part!("index.html", HTML);

/// The name of each part, its media type and its text.
const PARTS: &[(&str, &str, &str)] = &[
    part!("style.css", STYLE),
    part!("icon.svg", "image/svg+xml"),
    part!("main.js", SCRIPT),
    part!("api.js", SCRIPT),
    part!("dom.js", SCRIPT),
    part!("units.js", SCRIPT),
    part!("model.js", SCRIPT),
    part!("overview.js", SCRIPT),
    part!("cluster.js", SCRIPT),
    part!("actors.js", SCRIPT),
    part!("rows.js", SCRIPT),
    part!("tree.js", SCRIPT),
    part!("detail.js", SCRIPT),
    part!("log.js", SCRIPT),
    part!("modules.js", SCRIPT),
    part!("timeline.js", SCRIPT),
    part!("writing.js", SCRIPT),
    part!("trace.js", SCRIPT),
    part!("checkpoints.js", SCRIPT),
];

pub(super) async fn index() -> Response {
    serve(INDEX)
}

pub(super) async fn part(Segment(name): Segment) -> Result<Response, Problem> {
    let part = PARTS.iter().find(|(known, ..)| *known == name);
    part.map(|part| serve(*part))
        .ok_or_else(|| Problem::new(Kind::NotFound, "the dashboard has no such part"))
}

fn serve((_, media, text): (&str, &'static str, &'static str)) -> Response {
    ([(CONTENT_TYPE, media), (CONTENT_SECURITY_POLICY, POLICY)], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every script and style that a part names is one of the parts, and every part is named by one.
    #[test]
    fn the_page_loads_what_is_served_and_nothing_else() {
        let texts: Vec<&str> = PARTS.iter().map(|(_, _, text)| *text).chain([INDEX.2]).collect();
        for (name, ..) in PARTS {
            let named = [format!("\"page/{name}\""), format!("\"./{name}\"")];
            assert!(
                texts.iter().any(|text| named.iter().any(|named| text.contains(named))),
                "nothing loads {name}"
            );
        }
        for text in &texts {
            for reference in text.split("\"./").skip(1).chain(text.split("\"page/").skip(1)) {
                let name = reference.split('"').next().unwrap();
                assert!(PARTS.iter().any(|(known, ..)| *known == name), "{name} is not served");
            }
            for foreign in ["https://", "http://", "innerHTML", "eval(", "style=\"", "onclick=\""] {
                let known = text.replace("http://www.w3.org/2000/svg", "");
                assert!(!known.contains(foreign), "{foreign}");
            }
        }
    }
}
