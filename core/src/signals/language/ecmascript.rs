//! What the signals of JavaScript and TypeScript are made of: one walk over a syntax tree of oxc.
//!
//! Current ECMAScript is parsed. Patterns of regular expressions are not looked into, and errors that need scopes
//! (a name declared twice) are not found.

mod shape;
mod skim;

use super::stack::{LARGE, with_stack};
use crate::signals::Document;
use memchr::memmem;
use oxc_allocator::Allocator;
use oxc_ast::AstKind;
use oxc_ast::ast::{
    ArrowFunctionBody, ArrowFunctionExpression, AssignmentExpression, AssignmentTarget, BindingIdentifier,
    BindingPattern, CallExpression, Class, ExportAllDeclaration, ExportDefaultDeclaration,
    ExportFromDeclaration, Expression, Function, FunctionType, IdentifierReference, ImportDeclaration,
    ImportExpression, Program, ReturnStatement, TSEnumDeclaration, TSExternalModuleReference,
    TSInterfaceDeclaration, TSType, TSTypeAliasDeclaration, TSTypeAnnotation, VariableDeclaration,
    VariableDeclarationKind, VariableDeclarator,
};
use oxc_ast_visit::{Visit, walk};
use oxc_parser::{ParseOptions, Parser};
use oxc_span::{GetSpan, SourceType, Span};
use oxc_syntax::scope::ScopeFlags;
use std::cell::Cell;
use std::ops::Range;

/// Counts of nodes. "Named" functions, variables and classes are those that opc_data_filtering takes for such.
#[derive(Default)]
pub struct Facts {
    pub(super) named_functions: Names,
    pub(super) variables: Names,
    pub(super) named_classes: Names,
    pub(super) simple_variables: usize,
    pub(super) simple_returns: usize,
    pub(super) statements: usize,
    pub(super) imports: usize,
    /// Modules that are imported, re-exported or required by a literal name; and those whose name begins with a dot.
    pub(super) modules: usize,
    pub(super) relative_modules: usize,
    /// `export` declarations, and assignments to `exports` or to a property of it or of `module`.
    pub(super) exports: usize,
    /// Every function with a body: declarations, expressions, methods, arrows; and those that are async.
    pub(super) functions: usize,
    pub(super) async_functions: usize,
    /// Functions with a body in braces, and their lines.
    pub(super) blocks: usize,
    pub(super) block_lines: usize,
    /// Functions around the innermost function, itself included.
    pub(super) nesting: usize,
    /// Declarations by `var`, `let` and `const`; and those by `var`.
    pub(super) declarations: usize,
    pub(super) var_declarations: usize,
    /// Names bound or referred to, and their characters.
    pub(super) identifiers: usize,
    pub(super) identifier_chars: usize,
    /// Type annotations, and those that are `any`.
    pub(super) annotations: usize,
    pub(super) any_annotations: usize,
    /// Interfaces, type aliases and enumerations.
    pub(super) types: usize,
}

/// How many names there are, and how many are written as is usual.
#[derive(Default)]
pub(super) struct Names {
    pub(super) all: usize,
    pub(super) legal: usize,
}

impl Names {
    fn add(&mut self, name: &str, first: fn(u8) -> bool) {
        let bytes = name.as_bytes();
        self.all += 1;
        self.legal += usize::from(
            bytes.first().is_some_and(|&b| first(b)) && bytes[1..].iter().all(u8::is_ascii_alphanumeric),
        );
    }
}

/// The counts of a document; `None` if it does not parse in any of its dialects, or takes too much to parse.
pub(super) fn facts<'d>(document: &'d Document<'_>) -> Option<&'d Facts> {
    let facts = document.derived(|| {
        let text = document.content;
        let dialects = dialects(document);
        let stack = stack_for(text, &dialects)?;
        with_stack(stack, || dialects.into_iter().find_map(|dialect| parse(text, dialect)))?
    });
    facts.as_ref()
}

/// Brackets open at once, beyond which a text is not parsed.
const MOST_OPEN: usize = 1000;

/// How often each byte may be read again on average, beyond which a text is not parsed; and how many bytes at least.
const MOST_AGAIN: usize = 8;
const FEW_AGAIN: usize = 32 << 10;

/// Bytes of stack that one level of nesting may take, over parsing and visiting: see
/// `tests::stack_of_one_level`, which prints what it does take.
const LEVEL: usize = if cfg!(debug_assertions) { 16 << 10 } else { 4 << 10 };

/// The most levels for which there is room without asking the system for a larger stack.
const FEW_LEVELS: usize = LARGE / LEVEL;

/// The stack that `text` takes; `None`: more than there is, or more time, or it surely does not parse.
///
/// A short text is bounded by its length, others by what a [skim](skim::skim) over them, or their
/// [shape](shape::shape), says if it is sure, and else by a count of everything that may open a level, in strings and
/// comments too.
fn stack_for(text: &str, dialects: &[SourceType]) -> Option<usize> {
    let typescript = dialects[0].is_typescript();
    let no_jsx = !dialects.iter().any(|dialect| dialect.is_jsx());
    let skimmed = if typescript { None } else { skim::skim(text) };
    let levels = match skimmed {
        Some(skim) if takes_too_much(skim.open, skim.again, text) => return None,
        Some(_) if text.len() <= FEW_LEVELS => text.len(),
        Some(skim) if skim.sure && no_jsx && skim.levels <= FEW_LEVELS => skim.levels,
        Some(_) if !no_jsx => depth_bound(text),
        _ => {
            let shape = shape::shape(text, typescript);
            if shape.broken && no_jsx || takes_too_much(shape.open, shape.again, text) {
                return None;
            }
            match text.len() {
                length if length <= FEW_LEVELS => length,
                _ if shape.sure && no_jsx && !typescript => shape.levels + 1,
                _ => depth_bound(text),
            }
        }
    };
    Some(levels.saturating_mul(LEVEL))
}

fn takes_too_much(open: usize, again: usize, text: &str) -> bool {
    open > MOST_OPEN || again > (MOST_AGAIN * text.len()).max(FEW_AGAIN)
}

/// What to parse it as, in order.
fn dialects(document: &Document<'_>) -> Vec<SourceType> {
    let name = document.file_name();
    if document.language == "tsx" || name.ends_with(".tsx") {
        return vec![SourceType::tsx()];
    }
    if document.language == "typescript" {
        let declares = [".d.ts", ".d.mts", ".d.cts"].iter().any(|end| name.ends_with(end));
        return vec![if declares { SourceType::d_ts() } else { SourceType::ts() }];
    }
    let (module, script) = (SourceType::mjs(), SourceType::script());
    let has = |word: &str| memmem::find(document.content.as_bytes(), word.as_bytes()).is_some();
    let is_module = has("import") || has("export");
    let plain = if is_module { [module, script] } else { [script, module] };
    let jsx = plain.map(|dialect| dialect.with_jsx(true));
    // Every element is closed, so a text without either of these has none.
    let has_elements = has("</") || has("/>");
    match (name.ends_with(".jsx"), has_elements) {
        (true, _) => jsx.to_vec(),
        (false, true) => [plain, jsx].concat(),
        (false, false) => plain.to_vec(),
    }
}

thread_local! {
    /// Where trees are kept: taken, used, and put back empty, so that its memory is not asked for again.
    static ARENA: Cell<Option<Allocator>> = const { Cell::new(None) };
}

/// The largest arena that is put back.
///
/// A tree takes 16 times its text, that of a list of numbers 30 times; memory that is new to the process costs as much
/// as parsing into it: 16 ns per byte of text.
const MOST_KEPT: usize = 64 << 20;

fn parse(text: &str, dialect: SourceType) -> Option<Facts> {
    in_arena(|allocator| parse_in(allocator, text, dialect))
}

/// What `f` does with the arena of this thread.
fn in_arena<T>(f: impl FnOnce(&Allocator) -> T) -> T {
    let mut allocator = ARENA.take().unwrap_or_default();
    let made = f(&allocator);
    if allocator.capacity() <= MOST_KEPT {
        allocator.reset();
        ARENA.set(Some(allocator));
    }
    made
}

fn parse_in(allocator: &Allocator, text: &str, dialect: SourceType) -> Option<Facts> {
    let program = tree(allocator, text, dialect)?;
    let mut walker = Walker { line_ends: line_ends(text), is_ascii: text.is_ascii(), ..Walker::default() };
    walker.visit_program(&program);
    Some(walker.facts)
}

fn tree<'a>(allocator: &'a Allocator, text: &'a str, dialect: SourceType) -> Option<Program<'a>> {
    let options =
        ParseOptions { preserve_parens: false, enable_ident_hashes: false, ..ParseOptions::default() };
    let parsed = Parser::new(allocator, text, dialect).with_options(options).parse();
    (!parsed.panicked && parsed.diagnostics.is_empty()).then_some(parsed.program)
}

/// The nodes that byte `at` is in, from the outside in; `None` if there is no tree.
pub fn around(document: &Document<'_>, at: usize) -> Option<Vec<Range<usize>>> {
    let text = document.content;
    let dialects = dialects(document);
    let stack = stack_for(text, &dialects)?;
    let parse = |dialect| {
        in_arena(|allocator| {
            let mut around = Around { at, nodes: Vec::new() };
            walk::walk_program(&mut around, &tree(allocator, text, dialect)?);
            Some(around.nodes)
        })
    };
    with_stack(stack, || dialects.into_iter().find_map(parse))?
}

/// Collects the nodes around a byte.
struct Around {
    at: usize,
    nodes: Vec<Range<usize>>,
}

impl<'a> Visit<'a> for Around {
    fn enter_node(&mut self, kind: AstKind<'a>) {
        let span = kind.span();
        let range = span.start as usize..span.end as usize;
        if range.contains(&self.at) && !matches!(kind, AstKind::Program(_)) {
            self.nodes.push(range);
        }
    }
}

fn line_ends(text: &str) -> Vec<usize> {
    memchr::memchr_iter(b'\n', text.as_bytes()).collect()
}

/// An upper bound of how deep the parser and the walk recurse in `text`, in levels of [`with_stack`].
///
/// It is a count of everything that may open a level, in comments and strings as well: what is a comment is only
/// known by parsing. Operators that only chain are loops in the parser and cost the walk a small part of a level.
fn depth_bound(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut levels, mut links, mut at) = (1, 0, 0);
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'(' | b'[' | b'{' | b'<' | b'`' | b'?' | b':' | b'=' | b'!' | b'~' | b'+' | b'-' | b'*' => {
                levels += 1
            }
            b'.' | b'/' | b'%' | b'&' | b'|' | b'^' | b'>' => links += 1,
            b'a'..=b'z' => {
                let start = at - 1;
                at += bytes[at..].iter().take_while(|b| b.is_ascii_lowercase()).count();
                levels += usize::from(nests(&bytes[start..at]));
            }
            _ => {}
        }
    }
    levels + links / 4
}

/// Whether a keyword can open a level with no operator or bracket beside it.
fn nests(word: &[u8]) -> bool {
    matches!(
        word,
        b"abstract"
            | b"as"
            | b"asserts"
            | b"async"
            | b"await"
            | b"case"
            | b"class"
            | b"declare"
            | b"delete"
            | b"do"
            | b"else"
            | b"export"
            | b"extends"
            | b"finally"
            | b"in"
            | b"infer"
            | b"instanceof"
            | b"is"
            | b"keyof"
            | b"new"
            | b"of"
            | b"readonly"
            | b"return"
            | b"satisfies"
            | b"throw"
            | b"typeof"
            | b"unique"
            | b"void"
            | b"yield"
    )
}

#[derive(Default)]
struct Walker {
    facts: Facts,
    line_ends: Vec<usize>,
    /// Whether a character of the text is a byte, which saves counting those of each name.
    is_ascii: bool,
    /// Functions around the node that is visited.
    open: usize,
}

impl Walker {
    /// Enters a function with a body, which spans `block` if it is in braces.
    fn enter(&mut self, is_async: bool, function: Span, is_block: bool) {
        self.open += 1;
        self.facts.nesting = self.facts.nesting.max(self.open);
        self.facts.functions += 1;
        self.facts.async_functions += usize::from(is_async);
        if is_block {
            let before = |offset: u32| self.line_ends.partition_point(|&end| end < offset as usize);
            self.facts.blocks += 1;
            self.facts.block_lines += before(function.end) - before(function.start) + 1;
        }
    }

    fn module(&mut self, name: &str) {
        self.facts.modules += 1;
        self.facts.relative_modules += usize::from(name.starts_with('.'));
    }

    fn identifier(&mut self, name: &str) {
        self.facts.identifiers += 1;
        self.facts.identifier_chars += if self.is_ascii { name.len() } else { name.chars().count() };
    }

    fn function_name(&mut self, name: &str) {
        self.facts.named_functions.add(name, |b| b.is_ascii_alphabetic() || b == b'$');
    }

    fn variable_name(&mut self, name: &str) {
        self.facts.variables.add(name, |b| b.is_ascii_lowercase() || b == b'$');
    }
}

/// A literal, a name or a unary expression.
fn is_simple(expression: &Expression<'_>) -> bool {
    expression.is_literal()
        || matches!(expression, Expression::Identifier(_) | Expression::UnaryExpression(_))
}

/// `NAME` of `module.exports.NAME`.
fn exported<'t>(target: &'t AssignmentTarget<'_>) -> Option<&'t str> {
    let AssignmentTarget::StaticMemberExpression(member) = target else { return None };
    let Expression::StaticMemberExpression(exports) = &member.object else { return None };
    let is_module = matches!(&exports.object, Expression::Identifier(object) if object.name == "module");
    (is_module && exports.property.name == "exports").then(|| member.property.name.as_str())
}

/// Whether it is `module.exports`, `exports.NAME` or `module.exports.NAME`.
fn exports(target: &AssignmentTarget<'_>) -> bool {
    let AssignmentTarget::StaticMemberExpression(member) = target else { return false };
    match &member.object {
        Expression::Identifier(object) => {
            object.name == "exports" || object.name == "module" && member.property.name == "exports"
        }
        _ => exported(target).is_some(),
    }
}

impl<'a> Visit<'a> for Walker {
    fn visit_program(&mut self, it: &Program<'a>) {
        self.facts.statements = it.directives.len() + it.body.len();
        walk::walk_program(self, it);
    }

    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        if let (FunctionType::FunctionDeclaration, Some(id)) = (it.r#type, &it.id) {
            self.function_name(&id.name);
        }
        let has_body = it.body.is_some();
        if has_body {
            self.enter(it.r#async, it.span, true);
        }
        walk::walk_function(self, it, flags);
        self.open -= usize::from(has_body);
    }

    fn visit_arrow_function_expression(&mut self, it: &ArrowFunctionExpression<'a>) {
        self.enter(it.r#async, it.span, matches!(it.body, ArrowFunctionBody::FunctionBody(_)));
        walk::walk_arrow_function_expression(self, it);
        self.open -= 1;
    }

    fn visit_class(&mut self, it: &Class<'a>) {
        if let (true, Some(id)) = (it.is_declaration(), &it.id) {
            self.facts.named_classes.add(&id.name, |b| b.is_ascii_uppercase());
        }
        walk::walk_class(self, it);
    }

    fn visit_variable_declaration(&mut self, it: &VariableDeclaration<'a>) {
        use VariableDeclarationKind::{Const, Let, Var};
        self.facts.declarations += usize::from(matches!(it.kind, Var | Let | Const));
        self.facts.var_declarations += usize::from(it.kind == Var);
        walk::walk_variable_declaration(self, it);
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        if let BindingPattern::BindingIdentifier(id) = &it.id {
            match &it.init {
                Some(Expression::FunctionExpression(function)) if !function.r#async => {
                    self.function_name(&id.name)
                }
                _ => self.variable_name(&id.name),
            }
        }
        self.facts.simple_variables += usize::from(it.init.as_ref().is_none_or(is_simple));
        walk::walk_variable_declarator(self, it);
    }

    fn visit_assignment_expression(&mut self, it: &AssignmentExpression<'a>) {
        self.facts.exports += usize::from(exports(&it.left));
        if let Some(name) = exported(&it.left) {
            match it.right {
                Expression::FunctionExpression(_) | Expression::ArrowFunctionExpression(_) => {
                    self.function_name(name)
                }
                _ => self.variable_name(name),
            }
            self.facts.simple_variables += usize::from(is_simple(&it.right));
        }
        walk::walk_assignment_expression(self, it);
    }

    fn visit_return_statement(&mut self, it: &ReturnStatement<'a>) {
        self.facts.simple_returns += usize::from(it.argument.as_ref().is_none_or(is_simple));
        walk::walk_return_statement(self, it);
    }

    fn visit_import_declaration(&mut self, it: &ImportDeclaration<'a>) {
        self.facts.imports += 1;
        self.module(&it.source.value);
        walk::walk_import_declaration(self, it);
    }

    fn visit_export_from_declaration(&mut self, it: &ExportFromDeclaration<'a>) {
        self.module(&it.source.value);
        walk::walk_export_from_declaration(self, it);
    }

    fn visit_export_default_declaration(&mut self, it: &ExportDefaultDeclaration<'a>) {
        self.facts.exports += 1;
        walk::walk_export_default_declaration(self, it);
    }

    fn visit_export_all_declaration(&mut self, it: &ExportAllDeclaration<'a>) {
        self.module(&it.source.value);
        walk::walk_export_all_declaration(self, it);
    }

    fn visit_ts_external_module_reference(&mut self, it: &TSExternalModuleReference<'a>) {
        self.facts.imports += 1;
        self.module(&it.expression.value);
    }

    fn visit_import_expression(&mut self, it: &ImportExpression<'a>) {
        if let Expression::StringLiteral(name) = &it.source {
            self.module(&name.value);
        }
        walk::walk_import_expression(self, it);
    }

    fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
        if let Some(name) = it.common_js_require() {
            self.module(&name.value);
        }
        walk::walk_call_expression(self, it);
    }

    fn visit_binding_identifier(&mut self, it: &BindingIdentifier<'a>) {
        self.identifier(&it.name);
    }

    fn visit_identifier_reference(&mut self, it: &IdentifierReference<'a>) {
        self.identifier(&it.name);
    }

    fn visit_ts_type_annotation(&mut self, it: &TSTypeAnnotation<'a>) {
        self.facts.annotations += 1;
        self.facts.any_annotations += usize::from(matches!(it.type_annotation, TSType::TSAnyKeyword(_)));
        walk::walk_ts_type_annotation(self, it);
    }

    fn visit_ts_interface_declaration(&mut self, it: &TSInterfaceDeclaration<'a>) {
        self.facts.types += 1;
        walk::walk_ts_interface_declaration(self, it);
    }

    fn visit_ts_type_alias_declaration(&mut self, it: &TSTypeAliasDeclaration<'a>) {
        self.facts.types += 1;
        walk::walk_ts_type_alias_declaration(self, it);
    }

    fn visit_ts_enum_declaration(&mut self, it: &TSEnumDeclaration<'a>) {
        self.facts.types += 1;
        walk::walk_ts_enum_declaration(self, it);
    }
}

#[cfg(test)]
mod tests;
