//! `#[contract]`: an impl whose public methods are the messages of an actor.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned;
use syn::{
    Attribute, Error, FnArg, GenericArgument, ImplItem, ImplItemFn, ItemImpl, Pat, PatType, PathArguments, PathSegment,
    ReceiverKind, ReturnType, Signature, Type, Visibility,
};

use crate::parse::Mistakes;

/// The methods that aren't messages: what an actor does when it begins and ends, and with news of others.
const PRE_START: &str = "pre_start";
const POST_START: &str = "post_start";
const POST_STOP: &str = "post_stop";
const EVENTS: &str = "handle_supervisor_evt";

/// What a parameter is for.
enum Parameter<'a> {
    /// It travels.
    Argument { name: String, ty: &'a Type },
    /// The port of the reply, of a call that is answered by the method itself.
    Port(&'a Type),
    /// The actor itself.
    Myself,
    /// What happened.
    Event,
}

/// A method, as far as its caller has to know.
struct Method<'a> {
    signature: &'a Signature,
    parameters: Vec<Parameter<'a>>,
}

/// A message and its method.
struct Message<'a> {
    method: Method<'a>,
    variant: Ident,
    documentation: Vec<&'a Attribute>,
    reply: Reply<'a>,
}

/// How a message is answered.
enum Reply<'a> {
    /// It is a cast.
    Never,
    /// By what the method returns: this type, or unit.
    Returned(Option<&'a Type>),
    /// By the method, through its port.
    Port(&'a Type),
}

/// The enum of the messages, and the actor that handles them.
pub(crate) fn actor(input: &ItemImpl) -> Result<TokenStream, Error> {
    let state = &state_name(input)?;
    let mut mistakes = Mistakes::default();
    let (mut messages, mut callbacks, mut start) = (Vec::new(), TokenStream::new(), None);
    for item in &input.items {
        let ImplItem::Fn(method) = item else { continue };
        match method.sig.ident.to_string().as_str() {
            PRE_START => start = Some(&method.sig),
            POST_START | POST_STOP | EVENTS => callbacks.extend(mistakes.keep(callback(&method.sig))),
            _ if matches!(method.vis, Visibility::Public(_)) => messages.extend(mistakes.keep(message(method))),
            name if method.attrs.iter().any(is_rpc) => {
                let text = format!("a message is a public method: write `pub fn {name}`");
                mistakes.add(Error::new(method.sig.ident.span(), text));
            }
            _ => {}
        }
    }
    let start = mistakes.keep(pre_start(start, input.self_ty.span()));
    let (arguments, pre_start) = mistakes.none_or(start)?.unwrap_or_default();
    let name = format_ident!("{}Msg", state.unraw());
    let variants = messages.iter().map(Message::variant);
    let arms = messages.iter().map(|message| message.arm(&name));
    let about = format!("The messages of [`{}`].", state.unraw());
    Ok(quote! {
        #[doc = #about]
        #[derive(ractor::RactorClusterMessage)]
        pub enum #name { #(#variants)* }

        impl ractor::Actor for #state {
            type Msg = #name;
            type State = #state;
            type Arguments = #arguments;

            async fn pre_start(
                &self,
                __myself: ractor::ActorRef<#name>,
                __start: #arguments,
            ) -> ::core::result::Result<#state, ractor::ActorProcessingErr> {
                #pre_start
            }

            async fn handle(
                &self,
                __myself: ractor::ActorRef<#name>,
                __message: #name,
                __state: &mut #state,
            ) -> ::core::result::Result<(), ractor::ActorProcessingErr> {
                match __message { #(#arms)* }
                ::core::result::Result::Ok(())
            }

            #callbacks
        }
    })
}

/// Takes out what only this macro understands.
pub(crate) fn remove_marks(input: &mut ItemImpl) {
    for item in &mut input.items {
        if let ImplItem::Fn(method) = item {
            method.attrs.retain(|attribute| !is_rpc(attribute));
        }
    }
}

/// The name of the type, which the actor and its messages are called after.
fn state_name(input: &ItemImpl) -> Result<Ident, Error> {
    if let Some((path, _)) = &input.trait_ {
        return Err(Error::new(
            path.span(),
            "a contract is an impl of the type's own methods, and of no trait",
        ));
    }
    if !input.generics.params.is_empty() {
        return Err(Error::new(
            input.generics.span(),
            "a contract has no parameters: a component has one actor of one type",
        ));
    }
    match &*input.self_ty {
        Type::Path(path) if path.qself.is_none() => path.path.get_ident().cloned(),
        _ => None,
    }
    .ok_or_else(|| {
        Error::new(
            input.self_ty.span(),
            "a contract is an impl of a type of this module, by its name",
        )
    })
}

/// The type of the start argument, and the body of `pre_start`.
fn pre_start(signature: Option<&Signature>, span: Span) -> Result<(TokenStream, TokenStream), Error> {
    let Some(signature) = signature else {
        let default =
            quote_spanned! {span=> ::core::result::Result::Ok(<Self as ::core::default::Default>::default()) };
        return Ok((quote!(()), default));
    };
    if let Some(FnArg::Receiver(receiver)) = signature.inputs.first() {
        let text = "there is no state yet: `pre_start` takes the start argument, if any, and makes the state";
        return Err(Error::new(receiver.span(), text));
    }
    let method = Method::of(signature)?;
    let mut arguments = method.arguments();
    let (ty, passed) = match (arguments.next(), arguments.next()) {
        (None, _) => (quote!(()), quote!(())),
        (Some((_, ty)), None) => (quote!(#ty), quote!(__start)),
        (Some(_), Some((_, second))) => {
            return Err(Error::new(second.span(), "an actor has one start argument, or none"));
        }
    };
    let call = method.call(&[passed], &quote!(Self::));
    let made = if returned(signature).is_some_and(|ty| result(ty).is_some()) {
        quote!(#call?)
    } else {
        call
    };
    Ok((ty, quote!(::core::result::Result::Ok(#made))))
}

/// What an actor does besides messages.
fn callback(signature: &Signature) -> Result<TokenStream, Error> {
    let method = Method::of(signature)?;
    if let Some((_, ty)) = method.arguments().next() {
        return Err(Error::new(
            ty.span(),
            "nothing is sent here; known are `ActorRef` and, of events, `SupervisionEvent`",
        ));
    }
    let name = &signature.ident;
    let event = (*name == EVENTS).then(|| quote!(__event: ractor::SupervisionEvent,));
    let call = method.call(&[], &quote!(__state.));
    let done = match returned(signature) {
        Some(ty) if result(ty).is_some() => quote!(#call?;),
        _ => quote!(#call;),
    };
    Ok(quote! {
        async fn #name(
            &self,
            __myself: ractor::ActorRef<Self::Msg>,
            #event
            __state: &mut Self,
        ) -> ::core::result::Result<(), ractor::ActorProcessingErr> {
            #done
            ::core::result::Result::Ok(())
        }
    })
}

fn message(method: &ImplItemFn) -> Result<Message<'_>, Error> {
    let signature = &method.sig;
    let is_call = method.attrs.iter().any(is_rpc);
    let takes_state =
        matches!(signature.inputs.first(), Some(FnArg::Receiver(it)) if matches!(it.kind, ReceiverKind::Reference(..)));
    if !takes_state || signature.generics.type_params().next().is_some() {
        let text =
            "a message is a method with `&self` or `&mut self` and no type parameters; what is none has no `pub`";
        return Err(Error::new(signature.ident.span(), text));
    }
    let parsed = Method::of(signature)?;
    let value = match returned(signature) {
        Some(ty) => result(ty).or(Some(ty)).filter(|ty| !is_unit(ty)),
        None => None,
    };
    let port = parsed.parameters.iter().find_map(|parameter| match parameter {
        Parameter::Port(ty) => Some(*ty),
        _ => None,
    });
    let reply = match (port, value) {
        (Some(_), Some(ty)) => {
            return Err(Error::new(
                ty.span(),
                "the reply goes through the port, so the method returns nothing else",
            ));
        }
        (Some(ty), None) => Reply::Port(ty),
        (None, None) if !is_call => Reply::Never,
        (None, value) => Reply::Returned(value),
    };
    Ok(Message {
        variant: variant_name(&signature.ident),
        method: parsed,
        documentation: method
            .attrs
            .iter()
            .filter(|attribute| attribute.path().is_ident("doc"))
            .collect(),
        reply,
    })
}

impl<'a> Method<'a> {
    fn of(signature: &'a Signature) -> Result<Self, Error> {
        let parameters = signature.inputs.iter().filter_map(|input| match input {
            FnArg::Receiver(_) => None,
            FnArg::Typed(typed) => Some(parameter(typed)),
        });
        Ok(Self {
            signature,
            parameters: parameters.collect::<Result<_, _>>()?,
        })
    }

    fn arguments(&self) -> impl Iterator<Item = (&str, &'a Type)> {
        self.parameters.iter().filter_map(|parameter| match parameter {
            Parameter::Argument { name, ty } => Some((name.as_str(), *ty)),
            _ => None,
        })
    }

    /// The expression that calls it with these arguments, on what is in front of its name.
    fn call(&self, arguments: &[TokenStream], on: &TokenStream) -> TokenStream {
        let mut arguments = arguments.iter();
        let passed = self.parameters.iter().map(|parameter| match parameter {
            Parameter::Argument { .. } => arguments.next().cloned().unwrap_or_default(),
            Parameter::Port(_) => quote!(__reply),
            Parameter::Myself => quote!(::core::clone::Clone::clone(&__myself)),
            Parameter::Event => quote!(__event),
        });
        let name = &self.signature.ident;
        let wait = self.signature.asyncness.map(|_| quote!(.await));
        quote!(#on #name(#(#passed),*) #wait)
    }
}

impl Message<'_> {
    /// Its row in the enum.
    fn variant(&self) -> TokenStream {
        let Self {
            variant, documentation, ..
        } = self;
        let fields = self
            .method
            .arguments()
            .map(|(name, ty)| quote!(#[argument(#name)] #ty,));
        let (mark, port) = match &self.reply {
            Reply::Never => (None, None),
            Reply::Port(ty) | Reply::Returned(Some(ty)) => {
                (Some(quote!(#[rpc])), Some(quote!(ractor::RpcReplyPort<#ty>)))
            }
            Reply::Returned(None) => (Some(quote!(#[rpc])), Some(quote!(ractor::RpcReplyPort<()>))),
        };
        let about = documentation.is_empty().then(|| {
            let text = format!("Runs `{}`.", self.method.signature.ident.unraw());
            // In the contract stands only what the source says.
            quote!(#[allow(missing_docs, reason = #text)])
        });
        let fields = quote!(#(#fields)* #port);
        // A message without anything is `CounterMsg::Tick`, not `CounterMsg::Tick()`.
        let fields = (!fields.is_empty()).then(|| quote!((#fields)));
        quote! { #(#documentation)* #about #mark #variant #fields, }
    }

    /// Its arm in `handle`.
    fn arm(&self, name: &Ident) -> TokenStream {
        let variant = &self.variant;
        let arguments: Vec<TokenStream> = (0..self.method.arguments().count())
            .map(|at| format_ident!("__argument_{at}"))
            .map(|name| quote!(#name))
            .collect();
        let call = self.method.call(&arguments, &quote!(__state.));
        let is_result = returned(self.method.signature).is_some_and(|ty| result(ty).is_some());
        let (port, body) = match (&self.reply, is_result) {
            (Reply::Never, false) => (None, quote!(#call;)),
            (Reply::Port(_), false) => (Some(quote!(__reply)), quote!(#call;)),
            (Reply::Never, true) => (None, quote!(#call?;)),
            (Reply::Port(_), true) => (Some(quote!(__reply)), quote!(#call?;)),
            // A caller that has given up misses nothing.
            (Reply::Returned(_), false) => {
                let sent = quote!(::core::mem::drop(ractor::RpcReplyPort::send(__reply, __value)););
                (Some(quote!(__reply)), quote!(let __value = #call; #sent))
            }
            (Reply::Returned(_), true) => (
                Some(quote!(__reply)),
                quote! {
                    match #call {
                        ::core::result::Result::Ok(__value) => {
                            ::core::mem::drop(ractor::RpcReplyPort::send(__reply, __value));
                        }
                        ::core::result::Result::Err(__error) => ractor::FailCall::fail(__reply, __error),
                    }
                },
            ),
        };
        let places = arguments.iter().chain(port.as_ref()).enumerate().map(|(at, name)| {
            let at = syn::Index::from(at);
            quote!(#at: #name)
        });
        quote! { #name::#variant { #(#places),* } => { #body } }
    }
}

fn parameter(typed: &PatType) -> Result<Parameter<'_>, Error> {
    let ty = &*typed.ty;
    if let Some(inner) = inner(ty, "RpcReplyPort") {
        return Ok(Parameter::Port(inner));
    }
    match last(ty).map(|segment| segment.ident.to_string()).as_deref() {
        Some("ActorRef") => return Ok(Parameter::Myself),
        Some("SupervisionEvent") => return Ok(Parameter::Event),
        _ => {}
    }
    if matches!(ty, Type::Reference(_)) {
        let text = "what travels is owned by whoever gets it: take a `String` for a `&str`, a `Vec<T>` for a `&[T]`";
        return Err(Error::new(ty.span(), text));
    }
    let name = match &*typed.pat {
        Pat::Ident(name) => name.ident.unraw().to_string(),
        _ => String::new(),
    };
    Ok(Parameter::Argument { name, ty })
}

/// `add_all` as `AddAll`: the rule of all languages.
fn variant_name(method: &Ident) -> Ident {
    let name = method.unraw().to_string();
    let capital = |word: &str| {
        let mut rest = word.chars();
        let first = rest.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(rest).collect::<String>()
    };
    Ident::new(&name.split('_').map(capital).collect::<String>(), method.span())
}

fn returned(signature: &Signature) -> Option<&Type> {
    match &signature.output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => Some(ty),
    }
}

/// The `T` of a `Result<T, …>`.
fn result(ty: &Type) -> Option<&Type> {
    inner(ty, "Result")
}

fn inner<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let segment = last(ty).filter(|segment| segment.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    }
}

fn last(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Path(path) => path.path.segments.last(),
        Type::Group(group) => last(&group.elem),
        _ => None,
    }
}

fn is_unit(ty: &Type) -> bool {
    matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty())
}

fn is_rpc(attribute: &Attribute) -> bool {
    attribute.path().is_ident("rpc")
}
