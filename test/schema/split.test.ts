import { describe, expect, it } from 'vitest'
import { piecesOf, splitStatements } from '../../src/schema/split.js'

const atomic = `CREATE OR REPLACE FUNCTION f(n integer) RETURNS text
    LANGUAGE sql
    BEGIN ATOMIC
 SELECT 1;
 SELECT CASE WHEN n > 0 THEN CASE n WHEN 1 THEN 'one;' ELSE 'END' END ELSE 'x' END;
END;`
const rule = `CREATE RULE r AS ON INSERT TO v DO INSTEAD (
  INSERT INTO a VALUES (1);
  INSERT INTO b VALUES (';')
);`
const nested = `CREATE FUNCTION g() RETURNS text LANGUAGE plpgsql AS $fn$
DECLARE q text := $q$ SELECT ';' $q$;
BEGIN
  -- don't stop here;
  EXECUTE $$ SELECT 1; $$;
  RETURN '\\d;';
END;
$fn$;`

describe('splitStatements', () => {
  it.each([
    ['dollar quotes within dollar quotes', nested],
    ['an SQL body with CASE in it', atomic],
    ['a rule of several statements', rule],
    ['a standard string with a backslash at its end', String.raw`COMMENT ON TABLE t IS 'C:\; ';`],
    ['an escape string', String.raw`COMMENT ON TABLE t IS E'it\'s; ';`],
    ['a Unicode string', String.raw`COMMENT ON TABLE t IS U&'\00e9;''';`],
    ['a quoted name', `CREATE TABLE "a;b""; --" (x integer);`],
    ['a nested comment', 'CREATE TABLE t (/* a; /* b; */ c; */ x integer);'],
    ['a comment to the end of the line', 'CREATE TABLE t ( -- a; "b\n  x integer\n);'],
    ['a procedure whose body is atomic', 'CREATE PROCEDURE p()\n BEGIN ATOMIC\n  CALL q();\nEND;'],
    ['other alphabets before a dollar quote of their own', 'SELECT \'é😀;\', "列", $ü$ ; $ü$;'],
    ['a plain body', 'CREATE FUNCTION f() RETURNS trigger\n    LANGUAGE plpgsql\n    AS $$ BEGIN; END $$;']
  ])('leaves %s whole', async (_, statement) => {
    expect(await splitStatements(statement)).toEqual([statement])
    expect(await splitStatements(`SELECT 1;\n${statement}\n\nSELECT 2`)).toEqual([
      'SELECT 1;',
      statement,
      'SELECT 2;'
    ])
  })

  it('drops the lines that are commands of psql, and only those', async () => {
    const text = `\\restrict aB3\n\n--\n-- PostgreSQL database dump\n--\n\nSET a = 1;\n${nested}\n\\unrestrict aB3\n`
    expect(await splitStatements(text)).toEqual(['SET a = 1;', nested])
  })

  it('cuts what follows a body whose quote is the same tag', async () => {
    const one = 'CREATE FUNCTION f() RETURNS int\n    LANGUAGE sql\n    AS $$ SELECT 1; $$;'
    const two = 'ALTER FUNCTION f() COST 5;'
    expect(await splitStatements(`${one}\n${two}`)).toEqual([one, two])
    expect(await splitStatements(`${one}\n${one}`)).toEqual([one, one])
  })

  it('takes BEGIN outside of a routine for the statement that it is', async () => {
    expect(await splitStatements('BEGIN; SELECT 1; END; SELECT 2;')).toEqual([
      'BEGIN;',
      'SELECT 1;',
      'END;',
      'SELECT 2;'
    ])
  })

  it('finds nothing where there is nothing', async () => {
    for (const text of ['', ' \n', '-- a; comment', '/* one; */ ; ;', '\\restrict x\n']) {
      expect(await splitStatements(text)).toEqual([])
    }
  })

  it('ends the last statement, comment or not', async () => {
    expect(await splitStatements('ALTER TABLE t ENABLE ROW LEVEL SECURITY')).toEqual([
      'ALTER TABLE t ENABLE ROW LEVEL SECURITY;'
    ])
    expect(await splitStatements('SELECT 1; SELECT 2 -- the end;')).toEqual(['SELECT 1;', 'SELECT 2;'])
  })

  it('names a text whose quote is never closed', async () => {
    await expect(splitStatements("SELECT 1; SELECT 'abc", 'VIEW app.v')).rejects.toThrow(
      'VIEW app.v cannot be cut into statements: a quote or comment in it is never closed'
    )
  })
})

it('piecesOf leaves whole what cannot be cut', async () => {
  expect(await piecesOf("SELECT 1; SELECT 'abc")).toEqual(["SELECT 1; SELECT 'abc"])
})
