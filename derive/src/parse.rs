//! From the derive's input to a checked [`MessageEnum`]. Every mistake is reported where it is, all of them at once.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, ExprLit, Field, GenericArgument, Lit, LitStr, Member, Meta,
    MetaNameValue, PathArguments, PathSegment, Type, Variant,
};

use crate::model::{MessageEnum, MessageVariant, ReplyType, VariantArgument};
use crate::tokens::find_ident;

const REPLY_PORT: &str = "RpcReplyPort";
const WIRE: &str = "wire";

/// Checks the whole input.
pub(crate) fn message_enum(input: &DeriveInput) -> Result<MessageEnum, Error> {
    let data = match &input.data {
        Data::Enum(data) => data,
        Data::Struct(data) => return Err(not_an_enum(data.struct_token.span(), "struct")),
        Data::Union(data) => return Err(not_an_enum(data.union_token.span(), "union")),
    };

    let mut mistakes = Mistakes::default();
    if let Some(attribute) = rpc_attributes(&input.attrs).next() {
        mistakes.add(misplaced(attribute));
    }
    let variants: Vec<MessageVariant> = data
        .variants
        .iter()
        .filter_map(|variant| mistakes.keep(message_variant(variant)))
        .collect();
    mistakes.keep(check_tags(&variants));
    mistakes.none_or(MessageEnum {
        ident: input.ident.clone(),
        generics: input.generics.clone(),
        variants,
    })
}

fn message_variant(variant: &Variant) -> Result<MessageVariant, Error> {
    let mut mistakes = Mistakes::default();
    let rpc = rpc_attributes(&variant.attrs).next();
    mistakes.keep(check_rpc_form(variant));

    let mut arguments = Vec::new();
    let mut replies = Vec::new();
    for (field, member) in variant.fields.iter().zip(variant.fields.members()) {
        if let Some(attribute) = rpc_attributes(&field.attrs).next() {
            mistakes.add(misplaced(attribute));
        }
        match mistakes.keep(role(field, member)) {
            Some(FieldRole::VariantArgument(argument)) => arguments.push(argument),
            Some(FieldRole::ReplyType(reply)) => {
                if !replies.is_empty() {
                    mistakes.add(Error::new_spanned(
                        &field.ty,
                        "a second reply port: a call is answered exactly once",
                    ));
                }
                // A misplaced `#[rpc]` has been reported by now, and is probably the one that is missing here.
                if rpc.is_none() && mistakes.is_none() {
                    mistakes.add(missing_rpc(&variant.ident, field));
                }
                replies.push(reply);
            }
            None => {}
        }
    }
    if let Some(attribute) = rpc
        && replies.is_empty()
        && mistakes.is_none()
    {
        mistakes.add(missing_reply_port(&variant.ident, attribute));
    }
    let name = mistakes.keep(wire_name(variant)).flatten();
    mistakes.none_or(MessageVariant {
        ident: variant.ident.clone(),
        name,
        documentation: documentation(&variant.attrs),
        arguments,
        reply: replies.pop(),
    })
}

/// What `#[wire(name = "…")]` says.
fn wire_name(variant: &Variant) -> Result<Option<LitStr>, Error> {
    let mut name = None;
    for attribute in variant.attrs.iter().filter(|attribute| attribute.path().is_ident(WIRE)) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("name") {
                return Err(meta.error("`#[wire(…)]` knows `name = \"…\"`, what the message is called on the wire"));
            }
            let given: LitStr = meta.value()?.parse()?;
            if given.value().is_empty() {
                return Err(Error::new_spanned(given, "a message has a name that is not empty"));
            }
            if name.is_some() {
                return Err(Error::new_spanned(given, "the message has a name already"));
            }
            name = Some(given);
            Ok(())
        })?;
    }
    Ok(name)
}

/// No two variants have one name on the wire.
fn check_tags(variants: &[MessageVariant]) -> Result<(), Error> {
    let mut mistakes = Mistakes::default();
    for (at, variant) in variants.iter().enumerate() {
        let tag = variant.tag();
        let before = variants.iter().take(at).find(|before| before.tag() == tag);
        if let Some(before) = before {
            // Only one of them can have its name from its identifier.
            let place = variant.name.as_ref().or(before.name.as_ref());
            let message = format!(
                "`{}` and `{}` are both `{tag}` on the wire",
                before.ident, variant.ident
            );
            mistakes.add(Error::new_spanned(place, message));
        }
    }
    mistakes.none_or(())
}

/// What a field is for.
enum FieldRole {
    VariantArgument(VariantArgument),
    ReplyType(ReplyType),
}

fn role(field: &Field, member: Member) -> Result<FieldRole, Error> {
    if let Some(port) = as_reply_port(&field.ty) {
        let ty = reply_type(port)?.clone();
        refuse_nested_port(&ty)?;
        return Ok(FieldRole::ReplyType(ReplyType { member, ty }));
    }
    refuse_nested_port(&field.ty)?;
    Ok(FieldRole::VariantArgument(VariantArgument {
        member,
        name: argument_name(field)?,
        ty: field.ty.clone(),
    }))
}

/// What `#[argument("name")]` says.
fn argument_name(field: &Field) -> Result<Option<String>, Error> {
    let attribute = field
        .attrs
        .iter()
        .find(|attribute| attribute.path().is_ident("argument"));
    let name = attribute.map(|attribute| attribute.parse_args::<LitStr>().map(|name| name.value()));
    name.transpose()
}

/// The last segment of a path to `RpcReplyPort`, whatever leads there.
fn as_reply_port(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Path(path) => path.path.segments.last().filter(|segment| segment.ident == REPLY_PORT),
        // What `$reply:ty` of a macro by example becomes.
        Type::Group(group) => as_reply_port(&group.elem),
        Type::Paren(paren) => as_reply_port(&paren.elem),
        _ => None,
    }
}

fn reply_type(port: &PathSegment) -> Result<&Type, Error> {
    if let PathArguments::AngleBracketed(arguments) = &port.arguments
        && arguments.args.len() == 1
        && let Some(GenericArgument::Type(ty)) = arguments.args.first()
    {
        return Ok(ty);
    }
    Err(Error::new_spanned(
        port,
        "a reply port names the one type of its reply, as in `RpcReplyPort<u64>`",
    ))
}

fn refuse_nested_port(ty: &Type) -> Result<(), Error> {
    match find_ident(ty.to_token_stream(), &|ident| ident == REPLY_PORT) {
        None => Ok(()),
        Some(port) => Err(Error::new(
            port.span(),
            "a reply port can't travel inside another type: make it a field of its own, in a variant marked `#[rpc]`",
        )),
    }
}

fn check_rpc_form(variant: &Variant) -> Result<(), Error> {
    let mut attributes = rpc_attributes(&variant.attrs);
    let Some(attribute) = attributes.next() else {
        return Ok(());
    };
    if let Some(second) = attributes.next() {
        return Err(Error::new_spanned(second, "`#[rpc]` is already there"));
    }
    match &attribute.meta {
        Meta::Path(_) => Ok(()),
        given => Err(Error::new_spanned(
            given,
            "`#[rpc]` takes no arguments: what a call answers is the type of its reply port, `RpcReplyPort<T>`",
        )),
    }
}

/// What the doc comments say, without the space that each line begins with. Text that a macro makes is not known here.
fn documentation(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(MetaNameValue {
            path,
            value: Expr::Lit(ExprLit {
                lit: Lit::Str(text), ..
            }),
            ..
        }) if path.is_ident("doc") => Some(text.value()),
        _ => None,
    });
    let lines: Vec<_> = lines.map(unindented).collect();
    lines.join("\n").trim().to_owned()
}

/// The lines of one doc comment: a block has several.
fn unindented(comment: String) -> String {
    let lines = comment.lines().map(|line| line.strip_prefix(' ').unwrap_or(line));
    lines.map(str::trim_end).collect::<Vec<_>>().join("\n")
}

fn rpc_attributes(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("rpc"))
}

fn not_an_enum(span: proc_macro2::Span, what: &str) -> Error {
    let message = format!(
        "a cluster message is an enum: each variant is one message, and its name goes over the wire\n\
         help: make this {what} a field of a variant; if it never leaves the process, derive `RactorMessage` instead"
    );
    Error::new(span, message)
}

fn misplaced(attribute: &Attribute) -> Error {
    Error::new_spanned(
        attribute,
        "`#[rpc]` belongs on a variant: the one that has the reply port",
    )
}

fn missing_rpc(variant: &Ident, field: &Field) -> Error {
    let message = format!(
        "`{variant}` has a reply port, so it is a call, but it isn't marked as one\n\
         help: write `#[rpc]` in front of `{variant}`"
    );
    Error::new_spanned(&field.ty, message)
}

fn missing_reply_port(variant: &Ident, attribute: &Attribute) -> Error {
    let message = format!(
        "`#[rpc]` marks a call, but `{variant}` has no reply port\n\
         help: add a field `RpcReplyPort<T>`, `T` being what it answers; a message without an answer has no `#[rpc]`"
    );
    Error::new_spanned(attribute, message)
}

/// The mistakes found so far, as the one error that reports them all.
#[derive(Default)]
pub(crate) struct Mistakes(Option<Error>);

impl Mistakes {
    pub(crate) fn add(&mut self, mistake: Error) {
        match &mut self.0 {
            Some(all) => all.combine(mistake),
            none => *none = Some(mistake),
        }
    }

    /// Takes the mistake out of a result.
    pub(crate) fn keep<T>(&mut self, result: Result<T, Error>) -> Option<T> {
        result.map_err(|mistake| self.add(mistake)).ok()
    }

    fn is_none(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn none_or<T>(self, value: T) -> Result<T, Error> {
        self.0.map_or(Ok(value), Err)
    }
}
