//! What files of C, C++, Java and Go import: whether one can be understood, and run, alone. Beyond opc_data_filtering;
//! the patterns look at lines, not at a tree. One family per language, since a family applies as a whole.

use super::tokens::{stripped, stripped_with};
use crate::signals::{Document, ratio};
use memchr::memmem::Finder;

/// Includes in quotes among all includes of C and C++.
fn frac_local_includes(document: &Document<'_>) -> Option<f64> {
    let (mut local, mut all) = (0, 0);
    for line in stripped_with(document, "#") {
        let directive = line.strip_prefix('#').map(str::trim_start);
        let Some(file) = directive.and_then(|rest| rest.strip_prefix("include")) else { continue };
        match file.trim_start().bytes().next() {
            Some(b'"') => (local, all) = (local + 1, all + 1),
            Some(b'<') => all += 1,
            _ => {}
        }
    }
    ratio(local, all)
}

/// The paths that Go lines import, alone or in a block.
fn go_imports<'d>(document: &'d Document<'_>) -> Vec<&'d str> {
    let (mut paths, mut block) = (Vec::new(), false);
    let (mut lines, import) = (stripped(document), Finder::new("import"));
    loop {
        if !block {
            lines.skip_to(&import);
        }
        let Some(line) = lines.next() else { return paths };
        let spec = match line.strip_prefix("import") {
            Some(rest) if rest.trim_start().starts_with('(') => {
                block = !rest.contains(')');
                rest
            }
            Some(rest) if rest.starts_with([' ', '\t', '"', '`']) => rest,
            _ if block => line,
            _ => continue,
        };
        let quoted = spec.split(['"', '`']).nth(1).filter(|path| !path.is_empty());
        paths.extend(quoted);
        block &= !line.starts_with(')');
    }
}

/// C.
pub mod c {
    use crate::signals::{Applies, signals};

    signals! {
        family "c_imports", version 1, Applies::Languages(&["c"]);

        /// Includes in quotes among all includes.
        ///
        /// Unit: fraction of includes.
        /// Null: no includes.
        /// Why: a file that needs headers of its own project cannot be compiled alone.
        /// From: ours; self-containment is what OpenCoder (arXiv:2411.04905) asks of code for instruction data.
        /// Example: c "#include <stdio.h>\n# include \"a.h\"\n" → 0.5
        fn c_frac_local_includes(document) { super::frac_local_includes(document) }
    }
}

/// C++.
pub mod cpp {
    use crate::signals::{Applies, signals};

    signals! {
        family "cpp_imports", version 1, Applies::Languages(&["cpp"]);

        /// Includes in quotes among all includes.
        ///
        /// Unit: fraction of includes.
        /// Null: no includes.
        /// Why: a file that needs headers of its own project cannot be compiled alone.
        /// From: ours; self-containment is what OpenCoder (arXiv:2411.04905) asks of code for instruction data.
        /// Example: cpp "#include <vector>\n#include \"a.hpp\"\n" → 0.5
        fn cpp_frac_local_includes(document) { super::frac_local_includes(document) }
    }
}

/// Java.
pub mod java {
    use super::super::shares::per_line;
    use super::super::tokens::{keyword, stripped_with};
    use crate::signals::{Applies, Document, ratio, signals};

    /// Lines that import, and those that import a whole package.
    fn imports(document: &Document<'_>) -> (usize, usize) {
        let (mut all, mut wildcards) = (0, 0);
        for line in stripped_with(document, "import").filter(|line| keyword(line, &[]) == "import") {
            all += 1;
            wildcards += usize::from(line.contains(".*"));
        }
        (all, wildcards)
    }

    signals! {
        family "java_imports", version 1, Applies::Languages(&["java"]);

        /// Imports of a whole package, `import a.*;`, among all imports.
        ///
        /// Unit: fraction of lines that begin with `import`.
        /// Null: no imports.
        /// Why: exercises and older code import so; where names come from cannot be read off the file.
        /// From: ours.
        /// Example: java "import a.*;\nimport b.C;\n" → 0.5
        fn java_frac_wildcard_imports(document) {
            let (all, wildcards) = imports(document);
            ratio(wildcards, all)
        }

        /// Lines that begin with `import`, per code line.
        ///
        /// Unit: lines per line.
        /// Null: no code lines.
        /// Why: a file that mostly imports wires others together and cannot run alone.
        /// From: ours.
        /// Example: java "import a.B;\nclass C {}\n" → 0.5
        fn java_imports_per_line(document) { per_line(imports(document).0, document) }
    }
}

/// Go.
pub mod go {
    use super::super::scan::Needles;
    use super::super::shares::share_of_lines;
    use crate::signals::{Applies, ratio, signals};

    static CHECKS: Needles = Needles::literals(&["err != nil"]);

    signals! {
        family "go_imports", version 1, Applies::Languages(&["go"]);

        /// Imports from modules: the first element of the path has a dot in it, as no package of the standard library
        /// has.
        ///
        /// Unit: fraction of imports.
        /// Null: no imports.
        /// Why: a file that needs modules, its own included, cannot be run alone.
        /// From: ours; self-containment is what OpenCoder (arXiv:2411.04905) asks of code for instruction data.
        /// Example: go "import (\n\"fmt\"\nx \"github.com/a/b\"\n)\n" → 0.5
        fn go_frac_module_imports(document) {
            let paths = super::go_imports(document);
            let is_module = |path: &&&str| path.split('/').next().is_some_and(|first| first.contains('.'));
            ratio(paths.iter().filter(is_module).count(), paths.len())
        }

        /// Code lines with `err != nil`.
        ///
        /// Unit: fraction of code lines.
        /// Null: no code lines.
        /// Why: Go handles each error where it happens; code that never does is a sketch or generated.
        /// From: ours.
        /// Example: go "if err != nil {\nreturn err\n}\nf()\n" → 0.25
        fn go_frac_lines_error_checks(document) { share_of_lines(document, &CHECKS) }
    }
}

#[cfg(test)]
mod tests {
    use crate::signals::{DocType, Document};

    #[test]
    fn imports_of_go() {
        let code = "package a\nimport \"fmt\"\nimport (\n  _ \"b/c\"\n\n  `d.e/f`\n)\nimport . \"g\"\nimported := \"h\"\n";
        let document = Document::new(code, "go", DocType::Code, None);
        assert_eq!(super::go_imports(&document), ["fmt", "b/c", "d.e/f", "g"]);
        let document = Document::new("import (\"a\")\nb := \"c\"\n", "go", DocType::Code, None);
        assert_eq!(super::go_imports(&document), ["a"]);
    }
}
