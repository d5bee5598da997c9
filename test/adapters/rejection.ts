/** What an adapter's call fails with; the test fails where it succeeds, or fails in another way. */
import { expect } from 'chai'
import { ProviderError, type ProviderErrorKind } from '../../shared/provider-error.ts'

export async function errorOf(work: Promise<unknown>): Promise<ProviderError> {
  try {
    await work
  } catch (error) {
    if (error instanceof ProviderError) return error
    throw error
  }
  return expect.fail('it was expected to reject, and resolved')
}

export async function rejectionOf(kind: ProviderErrorKind, work: Promise<unknown>): Promise<ProviderError> {
  const error = await errorOf(work)
  expect(error.kind, `${error.message} ${error.providerMessage}`).to.equal(kind)
  return error
}
