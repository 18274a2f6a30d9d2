/** The cases of test/schema/cases of the kinds that the catalogs' reader reads; a file of its own, to run beside the other. */
import { proveCases } from './corpusrun.js'

proveCases('catalog')
