/** A small fleet in the shape of the real one: five clusters at three operators, so that requests meet each other. */
export const SMALL_FLEET: Readonly<Record<string, number>> = {
  'nhn-b200-510': 24,
  'nhn-b200-255': 12,
  'kakao-b200-255': 16,
  'naver-h200-255': 16,
  'naver-h200-32': 8,
}
